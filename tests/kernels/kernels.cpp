#include "tests/kernels/kernels.h"

#include <gtest/gtest.h>

#include "search/process_measurer.h"

namespace whet {
namespace {

// One worker for all tests of the program.
ProcessMeasurer& TheMeasurer() {
  static const std::unique_ptr<ProcessMeasurer> measurer = [] {
    ProcessMeasurerOptions options;
    options.timing.time_cap_ns = 100'000;  // times are of no interest
    options.timing.min_time_ns = 0;
    options.timing.min_contender_ns = 0;
    options.timing.min_samples = 1;
    // Nor is how long the compiler takes, while it comes back.
    options.compile_limit_ms = options.least_compile_limit_ms = 120'000;
    return ProcessMeasurer::Create(std::move(options)).value();
  }();
  return *measurer;
}

}  // namespace

bool ExpectReference(const Task& task, std::span<const Trace> traces) {
  bool all = true;
  const Status status =
      TheMeasurer().Measure(task, traces, [&](size_t i, const Measurement& measurement) {
        all &= measurement.ok();
        EXPECT_TRUE(measurement.ok())
            << Name(measurement.status) << ": " << measurement.message << "\nschedule " << i << "\n"
            << traces[i].ToCpp();
        return true;
      });
  EXPECT_TRUE(status) << status.error().message;
  return all && status;
}

}  // namespace whet
