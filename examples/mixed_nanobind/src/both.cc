#include <nanobind/nanobind.h>

namespace nb = nanobind;

static nb::dict Counts(nb::iterable items) {
  nb::dict counts;
  for (nb::handle item : items) {
    counts[item] = (counts.contains(item) ? nb::cast<int>(counts[item]) : 0) + 1;
  }
  return counts;
}

NB_MODULE(_both, module) { module.def("counts", &Counts); }
