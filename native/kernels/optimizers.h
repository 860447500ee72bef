// The optimizers' steps, over parameters that lie side by side; the formulas are those of
// fastdense/reference/optimizers.py.
#pragma once

#include "kernels/lanes.h"
#include "kernels/tile.h"

namespace fastdense::FASTDENSE_ISA {

template <class T>
[[gnu::always_inline]] inline Vector<T> root(Vector<T> x) {
#if defined(FASTDENSE_SCALAR)
    return sizeof(T) == sizeof(float) ? T(__builtin_sqrtf(float(x))) : T(__builtin_sqrt(double(x)));
#else
    for (std::size_t i = 0; i < lanes<T>; ++i) {
        x[i] = sizeof(T) == sizeof(float) ? T(__builtin_sqrtf(float(x[i]))) : T(__builtin_sqrt(double(x[i])));
    }
    return x;
#endif
}

// A rule's `move` returns the parameters w after a step, given their gradient g, and updates the slots. The
// constants are numbers, or vectors with one for each lane.
template <class T>
struct Sgd {
    static constexpr int slots = 0;
    template <class Constants>
    static Vector<T> move(const Constants& o, Vector<T> w, Vector<T> g, Vector<T>*) {
        return w - o.rate * g;
    }
};

template <class T>
struct Momentum {
    static constexpr int slots = 1;
    template <class Constants>
    static Vector<T> move(const Constants& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        slot[0] = o.momentum * slot[0] - o.rate * g;
        return w + (o.nesterov ? o.momentum * slot[0] - o.rate * g : slot[0]);
    }
};

template <class T, bool centered, bool momentum>
struct RmsProp {
    static constexpr int slots = 1 + centered + momentum;
    template <class Constants>
    static Vector<T> move(const Constants& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        slot[0] = o.rho * slot[0] + o.rho_gain * (g * g);
        Vector<T> variance = slot[0];
        if constexpr (centered) {
            slot[1] = o.rho * slot[1] + o.rho_gain * g;
            variance -= slot[1] * slot[1];
        }
        const Vector<T> moved = o.rate * g / root<T>(variance + o.epsilon);
        if constexpr (!momentum) return w - moved;
        slot[slots - 1] = o.momentum * slot[slots - 1] + moved;
        return w - slot[slots - 1];
    }
};

template <class T>
struct Adagrad {
    static constexpr int slots = 1;
    template <class Constants>
    static Vector<T> move(const Constants& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        slot[0] += g * g;
        return w - o.rate * g / root<T>(slot[0] + o.epsilon);
    }
};

template <class T, bool amsgrad>
struct Adam {
    static constexpr int slots = 2 + amsgrad;
    template <class Constants>
    static Vector<T> move(const Constants& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        slot[0] += (g - slot[0]) * o.gain_1;
        slot[1] += (g * g - slot[1]) * o.gain_2;
        if constexpr (amsgrad) slot[2] = slot[1] > slot[2] ? slot[1] : slot[2];
        return w - o.rate * slot[0] / (root<T>(slot[slots - 1]) + o.epsilon);
    }
};

template <class T>
struct Lion {
    static constexpr int slots = 1;
    template <class Constants>
    static Vector<T> move(const Constants& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        const Vector<T> c = slot[0] + (g - slot[0]) * o.gain_1, one = Vector<T>{} + T(1);
        slot[0] += (g - slot[0]) * o.gain_2;
        return w - o.rate * (c > T(0) ? one : (c < T(0) ? -one : c));
    }
};

template <class Rule, class T, class Constants, class Scale>
[[gnu::always_inline]] inline void walk(const Constants& o, const Parameters<T>& p, const T* gradient,
                                        Scale scale, std::size_t count) {
    constexpr int slots = Rule::slots;
    for (std::size_t i = 0; i < count; i += lanes<T>) {
        Vector<T> slot[slots + 1];  // an array has at least one element
        for (int k = 0; k < slots; ++k) slot[k] = load(p.slots[k] + i);
        Vector<T> g = load(gradient + i) * scale, w = load(p.w + i);
        g = g > o.limit ? Vector<T>{} + o.limit : g;
        g = g < -o.limit ? Vector<T>{} - o.limit : g;
        w -= o.decay * w;
        store(p.w + i, Rule::move(o, w, g, slot));
        for (int k = 0; k < slots; ++k) store(p.slots[k] + i, slot[k]);
    }
}

template <class T>
[[gnu::always_inline]] inline bool has_momentum(const Optimizer<T>& o) {
    return o.momentum > T(0);
}
// Lanes that train together have it or lack it together.
template <class T>
[[gnu::always_inline]] inline bool has_momentum(const Optimizer<PerLane<T>>& o) {
    return o.momentum.of[0] > T(0);
}

// A function of an optimizer's name calls take(rule) with the rule that its constants ask for.
template <class T, class Constants, class Take>
[[gnu::always_inline]] inline void sgd(const Constants& o, Take take) {
    has_momentum(o) ? take(Momentum<T>{}) : take(Sgd<T>{});
}

template <class T, class Constants, class Take>
[[gnu::always_inline]] inline void adagrad(const Constants&, Take take) {
    take(Adagrad<T>{});
}

template <class T, class Constants, class Take>
[[gnu::always_inline]] inline void adam(const Constants& o, Take take) {
    o.amsgrad ? take(Adam<T, true>{}) : take(Adam<T, false>{});
}

template <class T, class Constants, class Take>
[[gnu::always_inline]] inline void lion(const Constants&, Take take) {
    take(Lion<T>{});
}

template <class T, class Constants, class Take>
[[gnu::always_inline]] inline void rmsprop(const Constants& o, Take take) {
    if (has_momentum(o)) {
        o.centered ? take(RmsProp<T, true, true>{}) : take(RmsProp<T, false, true>{});
    } else {
        o.centered ? take(RmsProp<T, true, false>{}) : take(RmsProp<T, false, false>{});
    }
}

// Calls take(rule) with the rule of an optimizer.
template <class T, class Constants, class Take>
[[gnu::always_inline]] inline void with_rule(const Constants& o, Take take) {
    switch (o.rule) {
#define OPTIMIZER(name) \
    case Rule::name:    \
        return name<T>(o, take);
#include "kernels/optimizers.inc"
    }
}

// The gradient g with that of the penalties of the parameters w added.
template <class T, class Number>
[[gnu::always_inline]] inline Vector<T> penalised(Vector<T> g, Vector<T> w, Number l1, Number l2) {
    const Vector<T> zero{}, pull = zero + l1;
    g += T(2) * l2 * w;
    g += w > zero ? pull : zero;
    return g - (w < zero ? pull : zero);
}

}  // namespace fastdense::FASTDENSE_ISA
