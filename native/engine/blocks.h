// Rows in blocks that go through all layers together, claimed by the threads of a crowd.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "threads/pool.h"

namespace fastdense {

// The most rows per block: a whole number of tiles of any height. Its activations fit a second-level cache at
// 1024 columns (384 KB) and a first-level cache at 64 (24 KB).
constexpr std::size_t block_rows = 96;

// The multiply-adds that justify one more thread: a core takes about 10 microseconds for them.
constexpr std::size_t thread_work = 1 << 20;

// Cuts rows into blocks of nearly equal size, the same number per thread; returns that size.
constexpr std::size_t rows_per_block(std::size_t rows, std::size_t threads) {
    // The divisions below take 12 of the 350 nanoseconds of a small layer's one row.
    if (threads == 1 && rows <= block_rows) return rows;
    const std::size_t rounds = (rows + block_rows * threads - 1) / (block_rows * threads);
    const std::size_t count = std::max<std::size_t>(rounds * threads, 1);
    return (rows + count - 1) / count;
}

struct Blocks {
    // `work` is that of all rows.
    Blocks(std::size_t all_rows, std::size_t work)
        : all_rows(all_rows),
          threads(int(std::clamp<std::size_t>(all_rows, 1, threads_for(work, thread_work)))),
          rows(rows_per_block(all_rows, threads)) {}

    // Calls work(thread, first row, rows) for every block. A thread that is free takes the next one, so none
    // waits for the share of a thread that gets no core.
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
    const std::size_t rows;  // per block
};

}  // namespace fastdense
