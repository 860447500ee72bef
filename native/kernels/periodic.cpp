// Embeds columns by cosines, a column in each lane of a vector; see reference/periodic.py for the formulas.
//
// An angle is counted in turns, 2 pi x frequency + phase of them being x frequency + phase / (2 pi): a number
// less the nearest whole one is exact, where a remainder of pi takes three constants, and the cosine of what
// is left is the sine of at most a quarter of a turn.
#include "kernels/math.h"
#include "kernels/part.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

constexpr double pi = 3.14159265358979323846;

template <class T>
struct Sine;

// sin(2 pi s) / s in s^2 for |s| <= 1/4, minimax fits as those of math.h.
template <>
struct Sine<float> {  // 2^-27.4 of it
    static constexpr float terms[] = {6.28318527F, -41.3416775F, 81.6022312F, -76.5749922F, 39.710918F};
};
template <>
struct Sine<double> {  // 2^-61.7 of it
    static constexpr double terms[] = {6.28318530717958648,  -41.3417022403997562,  81.6052492760734061,
                                       -76.7058597527984975, 42.0586939237852359,   -15.0946416205099614,
                                       3.81992705047893385,  -0.717723580155449819, 0.100856330773540559};
};

// t less the nearest whole number. Beyond half of the numbers that hold a fraction, 0: rounding has taken it.
template <class T>
[[gnu::always_inline]] inline Vector<T> fraction(Vector<T> t) {
    constexpr T whole = T(3LL << (Constants<T>::mantissa - 1)), large = whole / T(3);
    const Vector<T> rest = t - ((t + whole) - whole);
    return absolute<T>(t) < large ? rest : t - t;  // NaN for an infinite t
}

template <class T>
[[gnu::always_inline]] inline Vector<T> sine_of_quarter(Vector<T> s) {
    return s * polynomial<T>(Sine<T>::terms, s * s);
}

// The cosine and the sine of a fraction of a turn, at most a half.
template <class T>
[[gnu::always_inline]] inline Vector<T> cosine(Vector<T> part) {
    return sine_of_quarter<T>(T(0.25) - absolute<T>(part));
}
template <class T>
[[gnu::always_inline]] inline Vector<T> sine(Vector<T> part) {
    const Vector<T> from_end = T(0.25) - absolute<T>(absolute<T>(part) - T(0.25));
    return copy_sign<T>(sine_of_quarter<T>(from_end), part);
}

// A group's columns and parameters.
template <class T>
struct Group {
    Group(const PeriodicSizes& all, const T* parameters, std::size_t group)
        : sizes(all),
          column(group * lanes<T>),
          columns(all.columns - column < lanes<T> ? all.columns - column : lanes<T>),
          own(parameters + column * all.per_column()) {}

    [[gnu::always_inline]] Vector<T> load_columns(const T* row) const {
        return columns == lanes<T> ? load(row + column) : load_part<T>(row + column, columns, 0);
    }
    [[gnu::always_inline]] void store_columns(T* row, Vector<T> value) const {
        columns == lanes<T> ? store(row + column, value) : store_part<T>(row + column, columns, value);
    }
    // Number j of every column's `width` numbers.
    [[gnu::always_inline]] Vector<T> load_numbers(const T* row, std::size_t j) const {
        T numbers[lanes<T>] = {};
        for (std::size_t i = 0; i < columns; ++i) numbers[i] = row[(column + i) * sizes.width + j];
        return load(numbers);
    }
    [[gnu::always_inline]] void store_numbers(T* row, std::size_t j, Vector<T> value) const {
        T numbers[lanes<T>];
        store(numbers, value);
        for (std::size_t i = 0; i < columns; ++i) row[(column + i) * sizes.width + j] = numbers[i];
    }
    const T* array(PeriodicSizes::Array array) const { return own + sizes.start(array) * lanes<T>; }

    const PeriodicSizes sizes;
    const std::size_t column, columns;  // the first, and how many
    const T* const own;
};

template <class T>
[[gnu::always_inline]] inline Vector<T> turn(Vector<T> x, Vector<T> frequency, Vector<T> phase) {
    return fraction<T>(x * frequency + unfused<T>(phase * T(0.5 / pi)));
}

// sums[j] += wave(frequency, part of a turn) * kernel of sum first + j, over all frequencies in order.
template <class T, int count, class Wave>
[[gnu::always_inline]] inline void add_waves(const Group<T>& group, std::size_t first, Vector<T> x, Wave wave,
                                             Vector<T> (&sums)[count]) {
    const T *frequency = group.array(PeriodicSizes::frequency), *phase = group.array(PeriodicSizes::phase);
    const T* kernel = group.array(PeriodicSizes::kernel) + first * lanes<T>;
    for (std::size_t k = 0; k < group.sizes.frequencies; ++k) {
        const Vector<T> of = load(frequency + k * lanes<T>);
        const Vector<T> height = wave(of, turn<T>(x, of, load(phase + k * lanes<T>)));
#pragma GCC unroll 4
        for (int j = 0; j < count; ++j) sums[j] += height * load(kernel + j * lanes<T>);
        kernel += group.sizes.sums() * lanes<T>;
    }
}

template <class T, int count>
void embed(const Group<T>& group, std::size_t first, const Periodic<T>& f) {
    const T* bias = group.array(PeriodicSizes::bias) + first * lanes<T>;
    const T* missing = group.array(PeriodicSizes::missing) + first * lanes<T>;
    for (std::size_t i = 0; i < f.in.rows; ++i) {
        const Vector<T> x = group.load_columns(f.in.data + i * f.in.stride);
        Vector<T> sums[count];
        for (int j = 0; j < count; ++j) sums[j] = load(bias + j * lanes<T>);
        add_waves<T, count>(group, first, x, [](Vector<T>, Vector<T> part) { return cosine<T>(part); }, sums);
        for (int j = 0; j < count; ++j) {
            const Vector<T> given = x == x ? sums[j] : load(missing + j * lanes<T>);
            group.store_numbers(f.out.data + i * f.out.stride, first + std::size_t(j), given);
        }
    }
}

// Adds what comes back through some of the sums.
template <class T, int count>
void add_inputs(const Group<T>& group, std::size_t first, const PeriodicInputs<T>& b) {
    for (std::size_t i = 0; i < b.in.rows; ++i) {
        const Vector<T> x = group.load_columns(b.in.data + i * b.in.stride);
        Vector<T> slopes[count] = {};
        add_waves<T, count>(
            group, first, x, [](Vector<T> frequency, Vector<T> part) { return frequency * sine<T>(part); },
            slopes);
        T* to = b.d_in.data + i * b.d_in.stride;
        Vector<T> d = group.load_columns(to);
        for (int j = 0; j < count; ++j) {
            const Vector<T> back = group.load_numbers(b.d_out.data + i * b.d_out.stride, first + j);
            d -= T(2 * pi) * slopes[j] * back;
        }
        group.store_columns(to, x == x ? d : Vector<T>{});
    }
}

// Calls work.operator()<count>(first) for the sums, up to four at a time, as many as share a cosine in
// registers.
template <class Work>
void over_sums(std::size_t sums, Work work) {
    for (std::size_t first = 0; first < sums; first += 4) {
        switch (sums - first) {
            case 1:
                work.template operator()<1>(first);
                break;
            case 2:
                work.template operator()<2>(first);
                break;
            case 3:
                work.template operator()<3>(first);
                break;
            default:
                work.template operator()<4>(first);
        }
    }
}

// Some rows of a batch as a group's gradient is summed over them: each column's number and what came back for
// it, 0 where the number is missing. Rows past the last one are 0.
template <class T>
struct Rows {
    Vector<T> x[periodic_rows];
    std::size_t count;  // rounded up to a whole number of fours
    T* d_out;           // number by number, and row by row

    [[gnu::always_inline]] T* back(std::size_t j, std::size_t row) const {
        return d_out + (j * periodic_rows + row) * lanes<T>;
    }
};

template <class T>
[[gnu::always_inline]] inline void add_to(T* sum, Vector<T> value) {
    store(sum, load(sum) + value);
}

// Reads rows, and adds up the gradient of `bias` and `missing`, which need no more.
template <class T>
void read_rows(const Group<T>& group, const PeriodicGradient<T>& g, std::size_t first, Rows<T>& rows) {
    const std::size_t left = g.in.rows - first, count = left < periodic_rows ? left : periodic_rows;
    const std::size_t width = group.sizes.width;
    T* bias = g.gradient + group.sizes.start(PeriodicSizes::bias) * lanes<T>;
    T* missing = g.gradient + group.sizes.start(PeriodicSizes::missing) * lanes<T>;
    rows.count = (count + 3) / 4 * 4;
    for (std::size_t i = 0; i < rows.count; ++i) {
        const bool given = i < count;
        const T* d_row = g.d_out.data + (first + i) * g.d_out.stride;
        const Vector<T> x = given ? group.load_columns(g.in.data + (first + i) * g.in.stride) : Vector<T>{};
        for (std::size_t j = 0; j < width; ++j) {
            const Vector<T> d = given ? group.load_numbers(d_row, j) : Vector<T>{};
            const Vector<T> present = x == x ? d : Vector<T>{};
            store(rows.back(j, i), present);
            if (j + 1 < width) add_to<T>(bias + j * lanes<T>, present);
            add_to<T>(missing + j * lanes<T>, x == x ? Vector<T>{} : d);
        }
        rows.x[i] = x == x ? x : Vector<T>{};
    }
}

// Adds the rows' part of the gradient of frequency k, its phase and its row of the kernel.
template <class T>
void add_frequency(const Group<T>& group, const Rows<T>& rows, std::size_t k, T* gradient) {
    const PeriodicSizes& sizes = group.sizes;
    const auto at = [&](PeriodicSizes::Array array, std::size_t i) {
        return (sizes.start(array) + i) * lanes<T>;
    };
    const std::size_t first = at(PeriodicSizes::kernel, k * sizes.sums());
    const Vector<T> frequency = load(group.own + at(PeriodicSizes::frequency, k));
    const Vector<T> phase = load(group.own + at(PeriodicSizes::phase, k));
    Vector<T> cosines[periodic_rows], of_phase{}, of_frequency{};
    for (std::size_t i = 0; i < rows.count; ++i) {
        const Vector<T> part = turn<T>(rows.x[i], frequency, phase);
        cosines[i] = cosine<T>(part);
        Vector<T> back{};
        for (std::size_t j = 0; j < sizes.sums(); ++j) {
            back += load(group.own + first + j * lanes<T>) * load(rows.back(j, i));
        }
        const Vector<T> of_angle = sine<T>(part) * back;
        of_phase -= of_angle;
        of_frequency -= of_angle * rows.x[i];
    }
    add_to<T>(gradient + at(PeriodicSizes::phase, k), of_phase);
    add_to<T>(gradient + at(PeriodicSizes::frequency, k), T(2 * pi) * of_frequency);
    for (std::size_t j = 0; j < sizes.sums(); ++j) {
        Vector<T> sums[4] = {};  // side by side: one sum would wait for each addition
        for (std::size_t i = 0; i < rows.count; i += 4) {
#pragma GCC unroll 4
            for (std::size_t n = 0; n < 4; ++n) sums[n] += cosines[i + n] * load(rows.back(j, i + n));
        }
        add_to<T>(gradient + first + j * lanes<T>, (sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
}

template <class T>
std::size_t groups(const PeriodicSizes& sizes) {
    return (sizes.columns + lanes<T> - 1) / lanes<T>;
}

}  // namespace

template <class T>
void periodic(const Periodic<T>& f) {
    const std::size_t last = f.sizes.sums();
    for (std::size_t i = 0; i < groups<T>(f.sizes); ++i) {
        const Group<T> group(f.sizes, f.parameters, i);
        over_sums(last, [&]<int count>(std::size_t first) { embed<T, count>(group, first, f); });
        const Vector<T> missing = load(group.array(PeriodicSizes::missing) + last * lanes<T>);
        for (std::size_t row = 0; row < f.in.rows; ++row) {
            const Vector<T> x = group.load_columns(f.in.data + row * f.in.stride);
            group.store_numbers(f.out.data + row * f.out.stride, last, x == x ? x : missing);
        }
    }
}

template <class T>
void periodic_inputs(const PeriodicInputs<T>& b) {
    for (std::size_t i = 0; i < groups<T>(b.sizes); ++i) {
        const Group<T> group(b.sizes, b.parameters, i);
        for (std::size_t row = 0; row < b.in.rows; ++row) {
            const T* d = b.d_out.data + row * b.d_out.stride;
            group.store_columns(b.d_in.data + row * b.d_in.stride, group.load_numbers(d, b.sizes.sums()));
        }
        over_sums(b.sizes.sums(),
                  [&]<int count>(std::size_t first) { add_inputs<T, count>(group, first, b); });
    }
}

template <class T>
void periodic_gradient(const PeriodicGradient<T>& g) {
    const Group<T> group(g.sizes, g.parameters, g.group);
    Rows<T> rows;
    rows.d_out = g.room;
    for (std::size_t i = 0; i < g.sizes.per_column(); ++i) store(g.gradient + i * lanes<T>, Vector<T>{});
    for (std::size_t first = 0; first < g.in.rows; first += periodic_rows) {
        read_rows<T>(group, g, first, rows);
        for (std::size_t k = 0; k < g.sizes.frequencies; ++k) add_frequency<T>(group, rows, k, g.gradient);
    }
}

template void periodic(const Periodic<float>& f);
template void periodic(const Periodic<double>& f);
template void periodic_inputs(const PeriodicInputs<float>& b);
template void periodic_inputs(const PeriodicInputs<double>& b);
template void periodic_gradient(const PeriodicGradient<float>& g);
template void periodic_gradient(const PeriodicGradient<double>& g);

}  // namespace fastdense::FASTDENSE_ISA
