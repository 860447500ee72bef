// Rows in blocks that go through all layers together, claimed by the threads of a crowd.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "threads/pool.h"

namespace fastdense {

// The most rows of a block: a whole number of tiles of any height. At 1024 columns its activations are 384
// KB, within a second-level cache, and at 64 they are 24 KB, within a first.
constexpr std::size_t block_rows = 96;

// Work, in multiply-adds, that a thread is worth: a core takes some 10 microseconds for it.
constexpr std::size_t thread_work = 1 << 20;

struct Blocks {
    // Blocks as equal as can be, as many for each thread. `work` is that of all rows.
    Blocks(std::size_t all_rows, std::size_t work)
        : all_rows(all_rows),
          threads(int(std::clamp<std::size_t>(all_rows, 1, threads_for(work, thread_work)))) {
        const std::size_t rounds = (all_rows + block_rows * threads - 1) / (block_rows * threads);
        count = std::max<std::size_t>(rounds * threads, 1);
        rows = (all_rows + count - 1) / count;
    }

    // Calls work(thread, first row, rows) for every block. Whoever is free takes the next one: a thread that
    // gets no core is not waited for with its share.
    template <class Work>
    void each(Work work) const {
        std::atomic<std::size_t> next{0};
        run_crowd(threads, [&](int thread) {
            for (std::size_t first; (first = rows * next.fetch_add(1)) < all_rows;) {
                work(thread, first, std::min(rows, all_rows - first));
            }
        });
    }

    const std::size_t all_rows;
    const int threads;
    std::size_t count, rows;
};

}  // namespace fastdense
