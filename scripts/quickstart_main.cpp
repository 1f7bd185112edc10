// Classifies pictures with nothing but a bundle: prints the network's output for each file of raw
// float32 numbers.
#include <cstdio>
#include <fstream>
#include <vector>

#include "whet.h"

int main(int argc, char** argv) {
  whet_model* model = whet_create(argv[1]);
  for (int i = 2; model && i < argc; ++i) {
    std::vector<float> picture(3 * 48 * 192), said(2);
    std::ifstream(argv[i], std::ios::binary)
        .read(reinterpret_cast<char*>(picture.data()), picture.size() * 4);
    const void* inputs[] = {picture.data()};
    void* outputs[] = {said.data()};
    if (whet_run(model, inputs, outputs) == 0) std::printf("%.9g %.9g\n", said[0], said[1]);
  }
  if (*whet_last_error()) return std::fprintf(stderr, "%s\n", whet_last_error()), 1;
  whet_destroy(model);
}
