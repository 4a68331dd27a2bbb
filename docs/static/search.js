// Sphinx shows the pages that have every word of a question. This shows those that have any, most words first.
"use strict";

// More than a title that matches, so that two words in a text come before one in a title.
const SCORE_PER_WORD = 20;
// Long pages that have nearly every word, and that few questions are about.
const LAST = new Set(["reference/changelog", "reference/json", "reference/python", "reference/benchmarks",
  "explanation/fuzzing", "explanation/safety", "explanation/what-was-run"]);

function rankByWords(search) {
  const findPages = search.performTermsSearch;
  search.performTermsSearch = (terms, excluded) => {
    const found = new Map();
    for (const term of terms) {
      for (const result of findPages(new Set([term]), excluded)) {
        const [page] = result;
        const earlier = found.get(page) ?? [...result.slice(0, 4), LAST.has(page) ? -SCORE_PER_WORD : 0, ...result.slice(5)];
        earlier[4] += SCORE_PER_WORD + result[4];
        found.set(page, earlier);
      }
    }
    return [...found.values()];
  };
}

if (typeof document !== "undefined") {
  document.addEventListener("DOMContentLoaded", () => {
    if (typeof Search !== "undefined") rankByWords(Search);
  });
}
