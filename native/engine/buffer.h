// Memory for numbers, aligned to a cache line and to any vector.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace fastdense {

constexpr std::size_t line_bytes = 64;
// A buffer that fills large pages asks for them: a weight gradient reads a column of every row of a batch,
// and each row may lie on another small page. A step of 1024 x 3 took 6% less.
constexpr std::size_t large_page_bytes = std::size_t(2) << 20;

template <class T>
class Buffer {
public:
    Buffer() = default;
    // Filled with zeros: what no kernel writes, such as the columns past the last unit, must be finite.
    explicit Buffer(std::size_t count) : size_(count), data_(allocate(count)) {
        std::uninitialized_fill_n(data_.get(), count, T(0));
    }

    T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

private:
    struct Free {
        void operator()(T* data) const { std::free(data); }
    };
    static T* allocate(std::size_t count) {
        if (count > std::size_t(-1) / 2 / sizeof(T)) throw std::bad_alloc();
        const std::size_t unit = count * sizeof(T) < large_page_bytes ? line_bytes : large_page_bytes;
        const std::size_t bytes = (count * sizeof(T) + unit - 1) / unit * unit;
        void* data = std::aligned_alloc(unit, bytes);
        if (!data && bytes) throw std::bad_alloc();
#ifdef __linux__
        if (unit == large_page_bytes) madvise(data, bytes, MADV_HUGEPAGE);  // a hint: failure does not matter
#endif
        return static_cast<T*>(data);
    }
    std::size_t size_ = 0;
    std::unique_ptr<T[], Free> data_;
};

}  // namespace fastdense
