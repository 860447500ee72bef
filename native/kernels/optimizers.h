// The optimizers' steps, over parameters that lie side by side; the formulas are those of
// fastdense/reference/optimizers.py.
#pragma once

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

// A rule's `move` returns the parameters w after a step, given their gradient g, and updates the slots.
template <class T>
struct Sgd {
    static constexpr int slots = 0;
    static Vector<T> move(const Optimizer<T>& o, Vector<T> w, Vector<T> g, Vector<T>*) {
        return w - o.rate * g;
    }
};

template <class T>
struct Momentum {
    static constexpr int slots = 1;
    static Vector<T> move(const Optimizer<T>& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        slot[0] = o.momentum * slot[0] - o.rate * g;
        return w + (o.nesterov ? o.momentum * slot[0] - o.rate * g : slot[0]);
    }
};

template <class T, bool centered, bool momentum>
struct RmsProp {
    static constexpr int slots = 1 + centered + momentum;
    static Vector<T> move(const Optimizer<T>& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
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
    static Vector<T> move(const Optimizer<T>& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        slot[0] += g * g;
        return w - o.rate * g / root<T>(slot[0] + o.epsilon);
    }
};

template <class T, bool amsgrad>
struct Adam {
    static constexpr int slots = 2 + amsgrad;
    static Vector<T> move(const Optimizer<T>& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        slot[0] += (g - slot[0]) * o.gain_1;
        slot[1] += (g * g - slot[1]) * o.gain_2;
        if constexpr (amsgrad) slot[2] = slot[1] > slot[2] ? slot[1] : slot[2];
        return w - o.rate * slot[0] / (root<T>(slot[slots - 1]) + o.epsilon);
    }
};

template <class T>
struct Lion {
    static constexpr int slots = 1;
    static Vector<T> move(const Optimizer<T>& o, Vector<T> w, Vector<T> g, Vector<T>* slot) {
        const Vector<T> c = slot[0] + (g - slot[0]) * o.gain_1, one = Vector<T>{} + T(1);
        slot[0] += (g - slot[0]) * o.gain_2;
        return w - o.rate * (c > T(0) ? one : (c < T(0) ? -one : c));
    }
};

template <class Rule, class T>
[[gnu::always_inline]] inline void walk(const Step<T> s) {
    constexpr int slots = Rule::slots;
    const Optimizer<T>& o = s.optimizer;
    const Parameters<T>& p = s.parameters;
    for (std::size_t i = 0; i < s.count; i += lanes<T>) {
        Vector<T> slot[slots + 1];  // an array has at least one element
        for (int k = 0; k < slots; ++k) slot[k] = load(p.slots[k] + i);
        Vector<T> g = load(s.gradient + i) * s.scale, w = load(p.w + i);
        g = g > o.limit ? Vector<T>{} + o.limit : g;
        g = g < -o.limit ? Vector<T>{} - o.limit : g;
        w -= o.decay * w;
        store(p.w + i, Rule::move(o, w, g, slot));
        for (int k = 0; k < slots; ++k) store(p.slots[k] + i, slot[k]);
    }
}

template <class T>
[[gnu::always_inline]] inline void sgd(const Step<T>& s) {
    s.optimizer.momentum > T(0) ? walk<Momentum<T>>(s) : walk<Sgd<T>>(s);
}

template <class T>
[[gnu::always_inline]] inline void adagrad(const Step<T>& s) {
    walk<Adagrad<T>>(s);
}

template <class T>
[[gnu::always_inline]] inline void adam(const Step<T>& s) {
    s.optimizer.amsgrad ? walk<Adam<T, true>>(s) : walk<Adam<T, false>>(s);
}

template <class T>
[[gnu::always_inline]] inline void lion(const Step<T>& s) {
    walk<Lion<T>>(s);
}

template <class T>
[[gnu::always_inline]] inline void rmsprop(const Step<T>& s) {
    if (s.optimizer.momentum > T(0)) {
        s.optimizer.centered ? walk<RmsProp<T, true, true>>(s) : walk<RmsProp<T, false, true>>(s);
    } else {
        s.optimizer.centered ? walk<RmsProp<T, true, false>>(s) : walk<RmsProp<T, false, false>>(s);
    }
}

}  // namespace fastdense::FASTDENSE_ISA
