// Memory for numbers, aligned to a cache line and to any vector.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace fastdense {

constexpr std::size_t line_bytes = 64;

template <class T>
class Buffer {
public:
    Buffer() = default;
    // Zeros: what no kernel writes, such as the columns past the last unit, must be finite.
    explicit Buffer(std::size_t count) : size_(count), data_(allocate(count)) {
        std::uninitialized_fill_n(data_.get(), count, T(0));
    }

    T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

private:
    struct Free {
        void operator()(T* data) const { ::operator delete[](data, std::align_val_t(line_bytes)); }
    };
    static T* allocate(std::size_t count) {
        if (count > std::size_t(-1) / 2 / sizeof(T)) throw std::bad_alloc();
        return static_cast<T*>(::operator new[](count * sizeof(T), std::align_val_t(line_bytes)));
    }
    std::size_t size_ = 0;
    std::unique_ptr<T[], Free> data_;
};

}  // namespace fastdense
