#include "schedules/operators/winograd.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace whet {
namespace {

constexpr std::array<double, 7> kPoints = {0, 1, -1, 2, -2, 0.5, -0.5};
constexpr int64_t kLargest = static_cast<int64_t>(kPoints.size()) + 1;  // n, with infinity

// Coefficients, lowest first, of the product of (x - point) over the first `count` points but
// `skip`.
std::vector<double> Polynomial(int64_t count, int64_t skip) {
  std::vector<double> p = {1};
  for (int64_t l = 0; l < count; ++l) {
    if (l == skip) continue;
    p.push_back(0);
    for (size_t k = p.size(); k-- > 0;) p[k] = (k > 0 ? p[k - 1] : 0) - kPoints[l] * p[k];
  }
  return p;
}

double RowNorm(const Matrix& matrix) {
  double largest = 0;
  for (const auto& row : matrix) {
    double sum = 0;
    for (double value : row) sum += std::abs(value);
    largest = std::max(largest, sum);
  }
  return largest;
}

// Reads "4x3".
bool ReadPair(std::string_view text, int64_t* a, int64_t* b) {
  const size_t cross = text.find('x');
  if (cross == std::string_view::npos) return false;
  const auto read = [](std::string_view digits, int64_t* value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *value);
    return error == std::errc() && end == digits.data() + digits.size() && *value >= 1 &&
           *value <= kLargest;
  };
  return read(text.substr(0, cross), a) && read(text.substr(cross + 1), b);
}

}  // namespace

Matrix WinogradAxis::Output() const {
  Matrix a(tile, std::vector<double>(size()));
  for (int64_t i = 0; i < tile; ++i) {
    for (int64_t j = 0; j + 1 < size(); ++j) a[i][j] = std::pow(kPoints[j], i);
    a[i][size() - 1] = i == tile - 1;
  }
  return a;
}

Matrix WinogradAxis::Weights() const {
  Matrix g(size(), std::vector<double>(taps));
  for (int64_t k = 0; k < taps; ++k) {
    for (int64_t j = 0; j + 1 < size(); ++j) {
      double scale = 1;
      for (int64_t l = 0; l + 1 < size(); ++l)
        if (l != j) scale *= kPoints[j] - kPoints[l];
      g[j][k] = std::pow(kPoints[j], k) / scale;
    }
    g[size() - 1][k] = k == taps - 1;
  }
  return g;
}

Matrix WinogradAxis::Input() const {
  Matrix b;
  for (int64_t j = 0; j < size(); ++j) {
    b.push_back(Polynomial(size() - 1, j < size() - 1 ? j : -1));
    b.back().resize(size(), 0);
  }
  return b;
}

std::string Winograd::Name() const {
  return fmt::format("winograd({}x{},{}x{})", y.tile, x.tile, y.taps, x.taps);
}

std::optional<Winograd> Winograd::Parse(std::string_view name) {
  constexpr std::string_view kPrefix = "winograd(";
  Winograd w;
  const size_t comma = name.find(',');
  if (name.substr(0, kPrefix.size()) != kPrefix || name.back() != ')' ||
      comma == std::string_view::npos)
    return std::nullopt;
  if (!ReadPair(name.substr(kPrefix.size(), comma - kPrefix.size()), &w.y.tile, &w.x.tile) ||
      !ReadPair(name.substr(comma + 1, name.size() - comma - 2), &w.y.taps, &w.x.taps))
    return std::nullopt;
  if (w.y.size() > kLargest || w.x.size() > kLargest) return std::nullopt;
  return w;
}

double Winograd::ErrorGrowth() const {
  double growth = 1;
  for (const WinogradAxis& axis : {y, x})
    growth *= RowNorm(axis.Output()) * RowNorm(axis.Weights()) * RowNorm(axis.Input());
  return growth;
}

TensorType Winograd::WeightsType(const TensorType& weights) const {
  return {weights.dtype, {y.size(), x.size(), weights.shape[0], weights.shape[1]}};
}

Tensor Winograd::TransformWeights(const Tensor& weights) const {
  const Matrix gy = y.Weights(), gx = x.Weights();
  const int64_t filters = weights.shape()[0] * weights.shape()[1], taps = y.taps * x.taps;
  Tensor result(WeightsType(weights.type()));
  const float* from = weights.data<float>();
  float* to = result.data<float>();
  for (int64_t f = 0; f < filters; ++f) {
    for (int64_t i = 0; i < y.size(); ++i) {
      for (int64_t j = 0; j < x.size(); ++j) {
        double sum = 0;
        for (int64_t p = 0; p < y.taps; ++p)
          for (int64_t q = 0; q < x.taps; ++q)
            sum += gy[i][p] * gx[j][q] * static_cast<double>(from[f * taps + p * x.taps + q]);
        to[(i * x.size() + j) * filters + f] = static_cast<float>(sum);
      }
    }
  }
  return result;
}

std::vector<Winograd> WinogradsFor(const Task& task, const TaskNode& node) {
  constexpr int64_t kFewestChannels = 16;
  constexpr double kLargestGrowth = 1e5;  // F(4x4,3x3): 4e4, F(6x6,3x3): 2e6
  std::vector<Winograd> result;
  const Attributes& a = node.attributes;
  const auto all_ones = [&](const char* name) {
    const std::vector<int64_t> values = a.Ints(name, {1, 1});
    return std::all_of(values.begin(), values.end(), [](int64_t v) { return v == 1; });
  };
  if (task.accuracy == Accuracy::kStrict || node.op != "Conv" ||
      a.String("layout", "NCHW") != "NHWC" || a.Int("group", 1) != 1 || !all_ones("strides") ||
      !all_ones("dilations"))
    return result;
  const auto weights = std::find_if(task.inputs.begin(), task.inputs.end(),
                                    [&](const TaskInput& i) { return i.name == node.inputs[1]; });
  if (weights == task.inputs.end() || !weights->constant ||
      weights->type.dtype != DataType::kFloat32)
    return result;
  int64_t readers = 0;
  for (const TaskNode& other : task.nodes)
    readers += std::count(other.inputs.begin(), other.inputs.end(), weights->name);
  const Shape& shape = weights->type.shape;
  if (readers != 1 || shape[0] < kFewestChannels || shape[1] < kFewestChannels ||
      shape[2] * shape[3] < 2)
    return result;
  const auto types = task.Types();
  if (!types) return result;
  const Shape& output = types->at(node.output).shape;
  for (int64_t tile : {2, 4, 6}) {
    Winograd w;
    w.y.taps = shape[2], w.x.taps = shape[3];
    w.y.tile = shape[2] > 1 ? tile : 1, w.x.tile = shape[3] > 1 ? tile : 1;
    if (w.y.size() > kLargest || w.x.size() > kLargest || w.ErrorGrowth() > kLargestGrowth)
      continue;
    if (output[1] < w.y.tile || output[2] < w.x.tile) continue;
    result.push_back(w);
  }
  return result;
}

}  // namespace whet
