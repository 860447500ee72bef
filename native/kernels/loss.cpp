// The losses of rows and their gradients; the formulas are those of fastdense/reference/losses.py.
#include "kernels/activations.h"
#include "kernels/softmax.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// Keras' backend.epsilon(): probabilities are kept this far from 0 and 1, and from log(0).
template <class T>
inline constexpr T epsilon = T(1e-7);

template <class T>
[[gnu::always_inline]] inline Vector<T> inside(Vector<T> p) {
    return at_least<T>(at_most<T>(p, T(1) - epsilon<T>), epsilon<T>);
}

// The derivative of log(inside(p)): 0 where p was moved.
template <class T>
[[gnu::always_inline]] inline Vector<T> inverse_inside(Vector<T> p) {
    return absolute<T>(p - T(0.5)) <= T(0.5) - epsilon<T> ? T(1) / inside<T>(p) : Vector<T>{};
}

// The losses that are means of one number an output: that number, and its derivative by the output a. Each
// has an a and a t at which the number is defined, for what fills up a vector.
template <class T>
struct BinaryLogits {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) {
        return (at_least<T>(a, 0) - t * a) + log1p<T>(exp<T>(-absolute<T>(a)));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        return Sigmoid<T>::forward(a, 0) - t;
    }
};

template <class T>
struct Binary {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) {
        const Vector<T> p = inside<T>(a);
        const Vector<T> no = (T(1) - t) * log<T>(T(1) - p);
        return -(t * log<T>(p) + no);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        const Vector<T> yes = t * inverse_inside<T>(a);
        return (T(1) - t) * inverse_inside<T>(T(1) - a) - yes;
    }
};

template <class T>
struct Squared {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) { return (a - t) * (a - t); }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) { return (a - t) * T(2); }
};

template <class T>
struct Absolute {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) { return absolute<T>(a - t); }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        const Vector<T> zero{}, one = zero + T(1);
        return a > t ? one : (a < t ? -one : a - t);  // 0, or NaN
    }
};

template <class T>
struct HuberLoss {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T delta) {
        const Vector<T> e = absolute<T>(a - t), near = at_most<T>(e, delta);
        return near * (e - near * T(0.5));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T delta) {
        return at_least<T>(at_most<T>(a - t, delta), -delta);
    }
};

template <class T>
struct PoissonLoss {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) {
        return a - t * log<T>(a + epsilon<T>);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        return T(1) - t / (a + epsilon<T>);
    }
};

// One row's targets, smoothed.
template <class T>
struct Row {
    Row(const LossRows<T>& rows, std::size_t i)
        : columns(rows.outputs.columns),
          outputs(rows.outputs.data + i * rows.outputs.stride),
          values(rows.labels ? nullptr : rows.targets.data + i * rows.targets.stride),
          label(rows.labels ? std::size_t(rows.labels[i]) : columns) {
        const T classes = rows.options.loss == Loss::binary_crossentropy ? T(2) : T(columns);
        kept = T(1) - T(rows.options.label_smoothing);
        spread = T(rows.options.label_smoothing) / classes;
    }

    [[gnu::always_inline]] Vector<T> target(std::size_t from, std::size_t count) const {
        if (values) return load_part(values + from, count, T(0)) * kept + spread;
        T part[lanes<T>];
        for (std::size_t i = 0; i < lanes<T>; ++i) part[i] = from + i == label ? T(1) : T(0);
        return load(part) * kept + spread;
    }

    const std::size_t columns;
    const T* const outputs;
    const T* const values;
    const std::size_t label;
    T kept, spread;
};

// The sum over a row of what `term(i, count)` gives, what fills up a vector not counted.
template <class T, class Term>
[[gnu::always_inline]] inline T row_sum(std::size_t columns, Term&& term) {
    Vector<T> sums{};
    over_row<T>(columns, [&](std::size_t i, std::size_t count) __attribute__((always_inline)) {
        T part[lanes<T>];
        store(part, term(i, count));
        sums += load_part(part, count, T(0));
    });
    return sum_of_lanes<T>(sums);
}

template <class T, template <class> class Element>
void means(const LossRows<T>& rows) {
    const T delta = T(rows.options.delta);
    for (std::size_t i = 0; i < rows.outputs.rows; ++i) {
        const Row<T> row(rows, i);
        const T share = T(1) / T(row.columns);
        const auto a = [&](std::size_t at, std::size_t count) {
            return load_part(row.outputs + at, count, T(0.5));
        };
        const T sum = row_sum<T>(row.columns, [&](std::size_t at, std::size_t count) {
            return Element<T>::value(a(at, count), row.target(at, count), delta);
        });
        rows.losses[i] = double(sum * share);
        if (!rows.scale) continue;
        T* gradient = rows.gradient.data + i * rows.gradient.stride;
        over_row<T>(row.columns, [&](std::size_t at, std::size_t count) {
            const Vector<T> slope = Element<T>::slope(a(at, count), row.target(at, count), delta);
            store_part(gradient + at, count, slope * (share * rows.scale[i]));
        });
    }
}

// From logits: the loss is the sum of t (log-sum-exp - z), its gradient softmax(z) sum(t) - t.
template <class T>
void categorical_logits(const LossRows<T>& rows) {
    for (std::size_t i = 0; i < rows.outputs.rows; ++i) {
        const Row<T> row(rows, i);
        const T whole = log_sum_exp_row(row.outputs, row.columns);
        rows.losses[i] = double(row_sum<T>(row.columns, [&](std::size_t at, std::size_t count) {
            return row.target(at, count) * (whole - load_part(row.outputs + at, count, T(0)));
        }));
        if (!rows.scale) continue;
        T* gradient = rows.gradient.data + i * rows.gradient.stride;
        const T total =
            row_sum<T>(row.columns, [&](std::size_t at, std::size_t count) { return row.target(at, count); });
        softmax_row(row.outputs, gradient, row.columns);
        over_row<T>(row.columns, [&](std::size_t at, std::size_t count) {
            const Vector<T> p = load_part(gradient + at, count, T(0));
            store_part(gradient + at, count, (p * total - row.target(at, count)) * rows.scale[i]);
        });
    }
}

// From outputs that are divided by their sum first.
template <class T>
void categorical(const LossRows<T>& rows) {
    for (std::size_t i = 0; i < rows.outputs.rows; ++i) {
        const Row<T> row(rows, i);
        const auto a = [&](std::size_t at, std::size_t count) {
            return load_part(row.outputs + at, count, T(0));
        };
        const T sum = row_sum<T>(row.columns, a);
        rows.losses[i] = double(row_sum<T>(row.columns, [&](std::size_t at, std::size_t count) {
            return -row.target(at, count) * log<T>(inside<T>(a(at, count) / sum));
        }));
        if (!rows.scale) continue;
        const auto by_share = [&](std::size_t at, std::size_t count) {
            return -row.target(at, count) * inverse_inside<T>(a(at, count) / sum);
        };
        const T mean =
            row_sum<T>(row.columns, [&](std::size_t at,
                                        std::size_t count) { return by_share(at, count) * a(at, count); }) /
            sum;
        T* gradient = rows.gradient.data + i * rows.gradient.stride;
        over_row<T>(row.columns, [&](std::size_t at, std::size_t count) {
            store_part(gradient + at, count, (by_share(at, count) - mean) / sum * rows.scale[i]);
        });
    }
}

}  // namespace

template <class T>
void losses(const LossRows<T>& rows) {
    switch (rows.options.loss) {
        case Loss::binary_crossentropy:
            return rows.options.from_logits ? means<T, BinaryLogits>(rows) : means<T, Binary>(rows);
        case Loss::categorical_crossentropy:
        case Loss::sparse_categorical_crossentropy:
            return rows.options.from_logits ? categorical_logits(rows) : categorical(rows);
        case Loss::mean_squared_error:
            return means<T, Squared>(rows);
        case Loss::mean_absolute_error:
            return means<T, Absolute>(rows);
        case Loss::huber:
            return means<T, HuberLoss>(rows);
        case Loss::poisson:
            return means<T, PoissonLoss>(rows);
    }
}

template void losses(const LossRows<float>& rows);
template void losses(const LossRows<double>& rows);

}  // namespace fastdense::FASTDENSE_ISA
