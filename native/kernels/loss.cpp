// The losses of rows and their gradients; the formulas are those of fastdense/reference/losses.py.
#include "kernels/element_losses.h"
#include "kernels/softmax.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// The numbers that are processed together: several short rows, or a part of a long one. Most networks end in
// fewer units than a vector has lanes; row by row, those of one output took ten times as long.
template <class T>
inline constexpr std::size_t room = 16 * lanes<T>;

// Targets, smoothed.
template <class T>
struct Smoothed {
    explicit Smoothed(const LossRows<T>& rows) : rows(rows), columns(rows.outputs.columns) {
        const T classes = rows.options.loss == Loss::binary_crossentropy ? T(2) : T(columns);
        kept = T(1) - T(rows.options.label_smoothing);
        spread = T(rows.options.label_smoothing) / classes;
    }

    // Returns those of a row, from a column on; lanes past `count` hold any finite numbers.
    [[gnu::always_inline]] Vector<T> at(std::size_t row, std::size_t column, std::size_t count) const {
        if (!rows.labels) {
            const T* values = rows.targets.data + row * rows.targets.stride;
            return load_part(values + column, count, T(0)) * kept + spread;
        }
        using Bits = typename Constants<T>::Bits;
        const auto hit = lane_numbers<T>() == Bits(rows.labels[row]) - Bits(column);
        return hit ? Vector<T>{} + (kept + spread) : Vector<T>{} + spread;
    }

    const LossRows<T>& rows;
    const std::size_t columns;
    T kept, spread;
};

// The sum of `term(i, count)` over a row, without the lanes that pad its last vector.
template <class T, class Term>
[[gnu::always_inline]] inline T row_sum(std::size_t columns, Term&& term) {
    Vector<T> sums{};
    over_row<T>(columns, [&](std::size_t i, std::size_t count) __attribute__((always_inline)) {
        sums += lane_numbers<T>() < typename Constants<T>::Bits(count) ? term(i, count) : Vector<T>{};
    });
    return sum_of_lanes<T>(sums);
}

// A short row is summed faster one number after another.
template <class T>
[[gnu::always_inline]] inline T sum(const T* values, std::size_t count) {
    if (count >= lanes<T>) {
        return row_sum<T>(count, [values](std::size_t i, std::size_t n) __attribute__((always_inline)) {
            return load_part(values + i, n, T(0));
        });
    }
    T total = 0;
    for (std::size_t i = 0; i < count; ++i) total += values[i];
    return total;
}

// The outputs and targets of some rows from a column on, side by side, and their values and slopes.
template <class T>
struct Elements {
    alignas(vector_bytes) T a[room<T>], t[room<T>], value[room<T>], slope[room<T>];

    void gather(const Smoothed<T>& targets, std::size_t first, std::size_t count, std::size_t column,
                std::size_t width) {
        const View<const T>& outputs = targets.rows.outputs;
        const View<const T>& given = targets.rows.targets;
        for (std::size_t i = 0; i < count; ++i) {
            const T* from = outputs.data + (first + i) * outputs.stride + column;
            const T* target = given.data + (first + i) * given.stride + column;
            for (std::size_t j = 0; j < width; ++j) {
                a[i * width + j] = from[j];
                t[i * width + j] = target[j] * targets.kept + targets.spread;
            }
        }
        for (std::size_t i = count * width; i % lanes<T>; ++i) a[i] = t[i] = T(0.5);
    }

    template <template <class> class Term>
    void evaluate(std::size_t count, T parameter, bool slopes) {
        for (std::size_t i = 0; i < count; i += lanes<T>) {
            store(value + i, Term<T>::value(load(a + i), load(t + i), parameter));
            if (slopes) store(slope + i, Term<T>::slope(load(a + i), load(t + i), parameter));
        }
    }
};

// The mean of one number per output.
template <template <class> class Term>
struct Mean {
    // Rows of one output that follow one another in memory, as those of lanes do.
    template <class T>
    static void column(const LossRows<T>& rows) {
        const Smoothed<T> targets(rows);
        const T parameter = T(rows.options.parameter);
        for (std::size_t i = 0; i < rows.outputs.rows; i += lanes<T>) {
            const std::size_t left = rows.outputs.rows - i, count = left < lanes<T> ? left : lanes<T>;
            const Vector<T> a = load_part(rows.outputs.data + i, count, T(0.5));
            const Vector<T> t =
                load_part(rows.targets.data + i, count, T(0.5)) * targets.kept + targets.spread;
            T values[lanes<T>];
            store<T>(values, Term<T>::value(a, t, parameter) + T(0));
            for (std::size_t k = 0; k < count; ++k) rows.losses[i + k] = double(values[k]);
            if (!rows.scale) continue;
            const Vector<T> scale = load_part(rows.scale + i, count, T(0));
            store_part<T>(rows.gradient.data + i, count, Term<T>::slope(a, t, parameter) * scale);
        }
    }

    template <class T>
    static void run(const LossRows<T>& rows) {
        const bool is_column = rows.outputs.columns == 1 && rows.outputs.stride == 1 &&
                               rows.targets.stride == 1 && rows.gradient.stride <= 1;
        if (is_column) return column<T>(rows);
        const Smoothed<T> targets(rows);
        const std::size_t columns = rows.outputs.columns,
                          together = columns < room<T> ? room<T> / columns : 1;
        const T share = T(1) / T(columns), parameter = T(rows.options.parameter);
        Elements<T> elements;
        for (std::size_t first = 0; first < rows.outputs.rows; first += together) {
            const std::size_t left = rows.outputs.rows - first, count = left < together ? left : together;
            T sums[room<T>] = {};
            for (std::size_t column = 0; column < columns; column += room<T>) {
                const std::size_t width = columns - column < room<T> ? columns - column : room<T>;
                elements.gather(targets, first, count, column, width);
                elements.template evaluate<Term>(count * width, parameter, rows.scale != nullptr);
                for (std::size_t i = 0; i < count; ++i) {
                    sums[i] += sum(elements.value + i * width, width);
                    if (!rows.scale) continue;
                    T* gradient = rows.gradient.data + (first + i) * rows.gradient.stride + column;
                    const T factor = share * rows.scale[first + i];
                    for (std::size_t j = 0; j < width; ++j)
                        gradient[j] = elements.slope[i * width + j] * factor;
                }
            }
            for (std::size_t i = 0; i < count; ++i) rows.losses[first + i] = double(sums[i] * share);
        }
    }
};

// From logits: a row's loss is the sum of t (log-sum-exp - z), its gradient softmax(z) sum(t) - t.
template <class T>
double logits_loss(const Smoothed<T>& targets, std::size_t row, T log_sum_exp) {
    const View<const T>& all = targets.rows.outputs;
    const T* z = all.data + row * all.stride;
    if (targets.rows.labels && targets.spread == T(0)) {
        return double(log_sum_exp - z[targets.rows.labels[row]]);
    }
    return double(row_sum<T>(all.columns, [&](std::size_t at, std::size_t n) {
        return targets.at(row, at, n) * (log_sum_exp - load_part(z + at, n, T(0)));
    }));
}

// The gradient holds the exponentials, whose sum is `total`.
template <class T>
void logits_gradient(const Smoothed<T>& targets, std::size_t row, T total) {
    const LossRows<T>& rows = targets.rows;
    const std::size_t columns = rows.outputs.columns;
    const auto target = [&](std::size_t at, std::size_t n) { return targets.at(row, at, n); };
    const T mass = rows.labels ? T(1) : row_sum<T>(columns, target);
    const T scale = rows.scale[row], factor = mass * scale / total;
    T* gradient = rows.gradient.data + row * rows.gradient.stride;
    over_row<T>(columns, [&](std::size_t at, std::size_t n) {
        const Vector<T> p = load_part(gradient + at, n, T(0)) * factor;
        store_part(gradient + at, n, p - target(at, n) * scale);
    });
}

// The logarithms of a vector of rows are taken together.
struct CategoricalLogits {
    template <class T>
    static void run(const LossRows<T>& rows) {
        const Smoothed<T> targets(rows);
        const View<const T>& z = rows.outputs;
        const std::size_t last = last_of<T>(z.columns);
        for (std::size_t first = 0; first < z.rows; first += lanes<T>) {
            const std::size_t left = z.rows - first, count = left < lanes<T> ? left : lanes<T>;
            alignas(vector_bytes) T largest[lanes<T>] = {}, total[lanes<T>], log_sum_exp[lanes<T>];
            for (std::size_t i = 0; i < lanes<T>; ++i) total[i] = T(1);
            for (std::size_t i = 0; i < count; ++i) {
                const T* row = z.data + (first + i) * z.stride;
                T* kept = rows.scale ? rows.gradient.data + (first + i) * rows.gradient.stride : nullptr;
                largest[i] = row_max(row, z.columns);
                const Exponentials<T> e(row, largest[i], kept, z.columns);
                if (kept) store_part<T>(kept + last, z.columns - last, e.last);
                total[i] = e.sum;
            }
            store(log_sum_exp, load(largest) + log<T>(load(total)));
            for (std::size_t i = 0; i < count; ++i) {
                rows.losses[first + i] = logits_loss(targets, first + i, log_sum_exp[i]);
                if (rows.scale) logits_gradient(targets, first + i, total[i]);
            }
        }
    }
};

// From outputs that are divided by their sum first.
struct Categorical {
    template <class T>
    static void run(const LossRows<T>& rows) {
        const Smoothed<T> targets(rows);
        const std::size_t columns = rows.outputs.columns;
        for (std::size_t i = 0; i < rows.outputs.rows; ++i) {
            const T* outputs = rows.outputs.data + i * rows.outputs.stride;
            const auto a = [&](std::size_t at, std::size_t count) {
                return load_part(outputs + at, count, T(0));
            };
            const T sum = row_sum<T>(columns, a);
            rows.losses[i] = double(row_sum<T>(columns, [&](std::size_t at, std::size_t count) {
                return -targets.at(i, at, count) * log<T>(inside<T>(a(at, count) / sum));
            }));
            if (!rows.scale) continue;
            const auto by_share = [&](std::size_t at, std::size_t count) {
                return -targets.at(i, at, count) * inverse_inside<T>(a(at, count) / sum);
            };
            const auto weighed = [&](std::size_t at, std::size_t count) {
                return by_share(at, count) * a(at, count);
            };
            const T mean = row_sum<T>(columns, weighed) / sum;
            T* gradient = rows.gradient.data + i * rows.gradient.stride;
            over_row<T>(columns, [&](std::size_t at, std::size_t count) {
                store_part(gradient + at, count, (by_share(at, count) - mean) / sum * rows.scale[i]);
            });
        }
    }
};

}  // namespace

template <class T>
void losses(const LossRows<T>& rows) {
    switch (rows.options.loss) {
#define LOSS(name, FromOutputs, FromLogits) \
    case Loss::name:                        \
        return rows.options.from_logits ? FromLogits::run(rows) : FromOutputs::run(rows);
#include "kernels/losses.inc"
    }
}

template void losses(const LossRows<float>& rows);
template void losses(const LossRows<double>& rows);

}  // namespace fastdense::FASTDENSE_ISA
