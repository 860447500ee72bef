// Packs weights into panels and unpacks them.
//
// A panel holds `panel_columns` units (the last one may be a vector narrower), row by row: first its head,
// the biases, then one row per input. Units past the last are zeros, and stay zeros.
#include "kernels/part.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// Calls visit(start of the panel, its width, its first column, how many of its columns are units).
template <class T, class Visit>
[[gnu::always_inline]] inline void each_panel(std::size_t inputs, std::size_t units, Visit visit) {
    for (std::size_t column = 0; column < units; column += panel_columns<T>) {
        const std::size_t width = vectors_at<T>(units, column) * lanes<T>;
        const std::size_t used = units - column < width ? units - column : width;
        visit(panel_start<T>(inputs, column), width, column, used);
    }
}

}  // namespace

template <class T>
std::size_t panels_size(std::size_t inputs, std::size_t units) {
    const std::size_t vectors = (units + lanes<T> - 1) / lanes<T>;
    return (inputs + 1) * vectors * lanes<T>;
}

template <class T>
void pack(const Pack<T>& from, T* panels) {
    each_panel<T>(from.inputs, from.units,
                  [&](std::size_t start, std::size_t width, std::size_t column, std::size_t used) {
                      T* to = panels + start;
                      for (std::size_t row = 0; row <= from.inputs; ++row) {
                          const T* source = row == 0 ? from.bias : from.weights + (row - 1) * from.stride;
                          for (std::size_t i = 0; i < width; i += lanes<T>, to += lanes<T>) {
                              const std::size_t left = used - i;
                              store(to, !source            ? Vector<T>{}
                                        : left >= lanes<T> ? load(source + column + i)
                                                           : load_part(source + column + i, left, T(0)));
                          }
                      }
                  });
}

template <class T>
void unpack(const T* panels, std::size_t inputs, std::size_t units, T* weights, T* bias) {
    each_panel<T>(inputs, units,
                  [&](std::size_t start, std::size_t width, std::size_t column, std::size_t used) {
                      const T* from = panels + start;
                      for (std::size_t row = 0; row <= inputs; ++row, from += width) {
                          T* to = row == 0 ? bias : weights + (row - 1) * units;
                          for (std::size_t i = 0; to && i < used; ++i) to[column + i] = from[i];
                      }
                  });
}

#define FASTDENSE_INSTANTIATE(T)                                   \
    template std::size_t panels_size<T>(std::size_t, std::size_t); \
    template void pack(const Pack<T>&, T*);                        \
    template void unpack(const T*, std::size_t, std::size_t, T*, T*);
FASTDENSE_INSTANTIATE(float)
FASTDENSE_INSTANTIATE(double)

}  // namespace fastdense::FASTDENSE_ISA
