#include <pybind11/pybind11.h>

static pybind11::dict Counts(pybind11::iterable items) {
  pybind11::dict counts;
  for (pybind11::handle item : items) {
    counts[item] = (counts.contains(item) ? counts[item].cast<int>() : 0) + 1;
  }
  return counts;
}

PYBIND11_MODULE(_bindings, module) { module.def("counts", &Counts); }
