#include "schedules/accuracy.h"

namespace whet {

std::string_view Name(Accuracy accuracy) {
  return accuracy == Accuracy::kStrict ? "strict" : "fast";
}

Result<Accuracy> ParseAccuracy(std::string_view name) {
  for (const Accuracy accuracy : {Accuracy::kFast, Accuracy::kStrict})
    if (name == Name(accuracy)) return accuracy;
  return Fail(ErrorCode::kInvalidInput, "there is no accuracy '{}'; there are strict and fast",
              name.substr(0, 40));
}

}  // namespace whet
