// Prints, for each question, the pages that the site's search shows: node search_site.js SITE QUESTIONS
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [site, questions] = process.argv.slice(2);
const fakes = `
  const SPHINX_HIGHLIGHT_ENABLED = false;
  const DOCUMENTATION_OPTIONS = {};
  const document = {getElementById: () => ({lastChild: null})};
  const window = globalThis;
  const _ready = () => {};
`;
const scripts = ["language_data.js", "searchtools.js", "search.js"].map((name) =>
  fs.readFileSync(path.join(site, "_static", name), "utf-8").replace(/^if \(typeof document !==(.|\n)*/m, ""));
const index = fs.readFileSync(path.join(site, "searchindex.js"), "utf-8");
const run = `
  rankByWords(Search);
  questions.map((question) => Search._performSearch(...Search._parseQuery(question)).reverse().map((found) => found[0]));
`;
const found = vm.runInNewContext([fakes, ...scripts, index, run].join("\n"), {questions: JSON.parse(questions), console});
console.log(JSON.stringify(found));
