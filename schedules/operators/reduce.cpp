// ReduceSum, ReduceMean, ReduceMax, ReduceMin and ReduceProd.
//
//   y[i] = the sum (mean, maximum, minimum, product) of x over all indices of the dimensions `axes`
//
// Reduced dimensions stay, with one element: dropping them is a Reshape.
#include <algorithm>
#include <limits>

#include "schedules/operators/checks.h"
#include "schedules/operators/strided.h"

namespace whet {
namespace {

enum class Reduction { kSum, kMean, kMax, kMin, kProd };

template <Reduction kKind>
Result<TensorType> InferReduce(const Attributes& attributes, Types inputs) {
  TensorType y = *inputs[0];
  const bool integer = y.dtype == DataType::kInt32 || y.dtype == DataType::kInt64;
  if (kKind == Reduction::kMean || !integer) RETURN_IF_ERROR(CheckFloat("x", y));
  const int64_t rank = static_cast<int64_t>(y.shape.size());
  ASSIGN_OR_RETURN(const auto axes, IntsAttribute(attributes, "axes", -1, 0, rank - 1));
  if (axes.empty())
    return Fail(ErrorCode::kInvalidInput,
                "attribute axes is empty and should name at least one dimension");
  for (size_t i = 0; i < axes.size(); ++i) {
    if (i > 0 && axes[i] <= axes[i - 1])
      return Fail(ErrorCode::kInvalidInput,
                  "attribute axes has {} after {}, and values should ascend", axes[i], axes[i - 1]);
    y.shape[axes[i]] = 1;
  }
  return y;
}

// Of no elements: the neutral element; there is no mean.
template <Reduction kKind, typename T>
T OfNothing() {
  using Limits = std::numeric_limits<T>;
  if (kKind == Reduction::kMean) return Limits::quiet_NaN();
  if (kKind == Reduction::kMax) return Limits::has_infinity ? -Limits::infinity() : Limits::min();
  if (kKind == Reduction::kMin) return Limits::has_infinity ? Limits::infinity() : Limits::max();
  return static_cast<T>(kKind == Reduction::kProd ? 1 : 0);
}

// A NaN among what is reduced makes the result NaN (std::max and std::min keep one in `a`).
template <Reduction kKind, typename Sum>
Sum Combine(Sum a, Sum b) {
  if ((kKind == Reduction::kMax || kKind == Reduction::kMin) && b != b) return b;
  if (kKind == Reduction::kMax) return std::max(a, b);
  if (kKind == Reduction::kMin) return std::min(a, b);
  if (kKind == Reduction::kProd) return a * b;
  return a + b;
}

// `Sum` holds what is reduced so far. Integers wrap, as unsigned ones may.
template <Reduction kKind, typename T, typename Sum>
void Accumulate(const Tensor& input, Tensor& output) {
  const T* x = input.data<T>();
  T* y = output.data<T>();
  const std::vector<int64_t> to = BroadcastStrides(output.shape(), input.shape());
  std::vector<Sum> sums(static_cast<size_t>(output.count()));
  std::vector<bool> begun(sums.size(), false);
  ForEachIndex(input.shape(), to, to, [&](int64_t i, int64_t at, int64_t) {
    const Sum value = static_cast<Sum>(x[i]);
    sums[at] = begun[at] ? Combine<kKind>(sums[at], value) : value;
    begun[at] = true;
  });
  const double count = static_cast<double>(input.count()) /
                       static_cast<double>(std::max<int64_t>(output.count(), 1));
  if (input.count() == 0) {
    std::fill_n(y, output.count(), OfNothing<kKind, T>());
    return;
  }
  for (size_t i = 0; i < sums.size(); ++i)
    y[i] = static_cast<T>(kKind == Reduction::kMean ? static_cast<Sum>(sums[i] / count) : sums[i]);
}

template <Reduction kKind>
Status ComputeReduce(const Attributes&, Tensors inputs, Tensor& output) {
  // Sums and products are the same in unsigned arithmetic, where overflow is defined.
  constexpr bool kOrdered = kKind == Reduction::kMax || kKind == Reduction::kMin;
  using Wide = std::conditional_t<kOrdered, int64_t, uint64_t>;
  switch (output.dtype()) {
    case DataType::kInt32:
      Accumulate<kKind, int32_t, Wide>(*inputs[0], output);
      break;
    case DataType::kInt64:
      Accumulate<kKind, int64_t, Wide>(*inputs[0], output);
      break;
    default:
      Accumulate<kKind, float, double>(*inputs[0], output);
      break;
  }
  return {};
}

double ReduceFlops(const Attributes&, Types inputs, const TensorType&) {
  return static_cast<double>(ElementCount(inputs[0]->shape));
}

std::vector<int64_t> MixesAxes(const Attributes& attributes, const Shape&) {
  return attributes.Ints("axes");
}

template <Reduction kKind>
OperatorDef Reduce(std::string_view name) {
  return Row<&InferReduce<kKind>, &ComputeReduce<kKind>, &ReduceFlops, 1, 1>(
      name, OperatorClass::kReduction, {{"x"}}, {{"axes", AttributeKind::kInts}},
      // What a product of many is depends on where it underflows: infinities and NaN would too.
      kKind == Reduction::kProd ? nullptr : &MixesAxes);
}

}  // namespace

const std::vector<OperatorDef>& ReduceOperators() {
  static const std::vector<OperatorDef> rows = {
      Reduce<Reduction::kSum>("ReduceSum"),
      Reduce<Reduction::kMean>("ReduceMean"),
      Exact(Reduce<Reduction::kMax>("ReduceMax")),
      Exact(Reduce<Reduction::kMin>("ReduceMin")),
      Reduce<Reduction::kProd>("ReduceProd"),
  };
  return rows;
}

}  // namespace whet
