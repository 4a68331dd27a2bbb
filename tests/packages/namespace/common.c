__attribute__((visibility("default"))) int acme_add(int x, int y) { return x + y; }
