// Networks in the lanes of vectors: their products, and the optimizer's step with each lane's own constants.
#include "kernels/lanes.h"

#include "kernels/math.h"
#include "kernels/optimizers.h"
#include "kernels/tile.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// An element of `a`: a number that all lanes share, or a vector.
template <class T, bool shared>
[[gnu::always_inline]] inline auto factor(const T* a) {
    if constexpr (shared) {
        return *a;
    } else {
        return load(a);
    }
}

// A tile of the product in registers, as in tile.h, except for the strides between its elements.
template <class T, int columns, bool shared>
struct Tiles {
    template <int rows>
    struct Of {
        static void run(const LaneProduct<T>& p, std::size_t row, std::size_t column) {
            Vector<T> c[rows][columns] = {};
            if (p.start.data) {
                const T* start = p.start.data + row * p.start.row + column * p.start.column;
#pragma GCC unroll 16
                for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 8
                    for (int v = 0; v < columns; ++v)
                        c[i][v] = load(start + i * p.start.row + v * p.start.column);
                }
            }
            const T* a = p.a.data + row * p.a.row;
            const T* b = p.b.data + column * p.b.column;
            for (std::size_t t = 0; t < p.count; ++t, a += p.a.column, b += p.b.row) {
                Vector<T> w[columns];
#pragma GCC unroll 8
                for (int v = 0; v < columns; ++v) w[v] = load(b + v * p.b.column);
#pragma GCC unroll 16
                for (int i = 0; i < rows; ++i) {
                    const auto x = factor<T, shared>(a + i * p.a.row);
#pragma GCC unroll 8
                    for (int v = 0; v < columns; ++v) c[i][v] += x * w[v];
                }
            }
            const T floor = p.relu ? T(0) : -T(__builtin_inf());  // NaN is not below it and stays
            const std::size_t down = p.out.row, right = p.out.column;
            T* out = p.out.data + row * down + column * right;
#pragma GCC unroll 16
            for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 8
                for (int v = 0; v < columns; ++v) {
                    store(out + i * down + v * right, at_least<T>(c[i][v], floor));
                }
            }
        }
    };
};

// All rows against a few columns, which stay in the nearest cache while the rows pass.
template <class T, int columns, bool shared>
void pass(const LaneProduct<T>& p, std::size_t column) {
    static constexpr ByHeight<Tiles<T, columns, shared>::template Of> tiles;
    const Heights heights(p.rows);
    std::size_t row = 0;
    for (std::size_t i = 0; i < heights.tiles; ++i) {
        tiles[heights.of(i)](p, row, column);
        row += heights.of(i);
    }
}

template <class T, bool shared>
void run(const LaneProduct<T>& p) {
    constexpr int wide = 8;  // chains of multiply-adds, as product.cpp says of few rows
    std::size_t column = 0;
    for (; p.rows == 1 && column + wide <= p.columns; column += wide) {
        Tiles<T, wide, shared>::template Of<1>::run(p, 0, column);
    }
    for (; column + panel_vectors <= p.columns; column += panel_vectors) {
        pass<T, panel_vectors, shared>(p, column);
    }
    if (column < p.columns) pass<T, 1, shared>(p, column);
}

template <class T>
[[gnu::always_inline]] inline Vector<T> each(const PerLane<T>& numbers) {
    return load(numbers.of);
}

template <class T>
Optimizer<Vector<T>> in_registers(const Optimizer<PerLane<T>>& o) {
    return {.rule = o.rule,
            .nesterov = o.nesterov,
            .centered = o.centered,
            .amsgrad = o.amsgrad,
            .momentum = each(o.momentum),
            .rho = each(o.rho),
            .rho_gain = each(o.rho_gain),
            .gain_1 = each(o.gain_1),
            .gain_2 = each(o.gain_2),
            .epsilon = each(o.epsilon),
            .decay = each(o.decay),
            .rate = each(o.rate),
            .limit = each(o.limit)};
}

// Each product is rounded, as in engine/sums.h, which is compiled without fused operations.
[[gnu::always_inline]] inline Vector<double> charged(const Penalties<PerLane<double>>* penalties,
                                                     std::size_t lane, Vector<double> w) {
    if (!penalties) return unfused<double>(w * w);
    const Vector<double> l1 = load(penalties->l1.of + lane), l2 = load(penalties->l2.of + lane);
    return unfused<double>(l1 * absolute<double>(w)) + unfused<double>(l2 * w * w);
}

}  // namespace

template <class T>
void lane_product(const LaneProduct<T>& product) {
    product.shared ? run<T, true>(product) : run<T, false>(product);
}

// Lanes without penalties keep their gradient's bits.
template <class T>
void lane_penalties(const LanePenalties<T>& p) {
    const Vector<T> l1 = each(p.penalties.l1), l2 = each(p.penalties.l2), zero{};
    for (std::size_t i = 0; i < p.count; i += lanes<T>) {
        const Vector<T> g = load(p.gradient + i), with = penalised<T>(g, load(p.w + i), l1, l2);
        store(p.gradient + i, l1 != zero ? with : (l2 != zero ? with : g));
    }
}

template <class T>
void lane_step(const LaneStep<T>& s) {
    const Optimizer<Vector<T>> o = in_registers(s.optimizer);
    with_rule<T>(s.optimizer, [&](auto rule) {
        walk<decltype(rule), T>(o, s.parameters, s.gradient, each(s.scale), s.count);
    });
}

template <class T>
void lane_sums(const LaneSums<T>& s) {
    for (std::size_t row = 0; row < s.rows; ++row) {
        for (std::size_t column = 0; column < s.columns; ++column) {
            const T* w = s.w.data + row * s.w.row + column * s.w.column;
            double* sums = s.sums[(row * s.width + column) % 8].of;
            for (std::size_t lane = 0; lane < lanes<T>; lane += lanes<double>) {
                store(sums + lane, load(sums + lane) + charged(s.penalties, lane, widened(w + lane)));
            }
        }
    }
}

template void lane_product(const LaneProduct<float>& product);
template void lane_product(const LaneProduct<double>& product);
template void lane_penalties(const LanePenalties<float>& penalties);
template void lane_penalties(const LanePenalties<double>& penalties);
template void lane_step(const LaneStep<float>& step);
template void lane_step(const LaneStep<double>& step);
template void lane_sums(const LaneSums<float>& sums);
template void lane_sums(const LaneSums<double>& sums);

}  // namespace fastdense::FASTDENSE_ISA
