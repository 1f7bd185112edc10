// Measuring candidates: build, check against the reference, time. The search sees only this
// interface.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "schedules/task.h"
#include "schedules/trace.h"
#include "tuning_db/record.h"

namespace whet {

class Measurer {
 public:
  virtual ~Measurer() = default;
  // Measures candidates of one task, in order. `done` is called for each as soon as it is known,
  // from the calling thread; returning false stops early (candidates not yet reported are dropped).
  virtual Status Measure(const Task& task, std::span<const Trace> traces,
                         const std::function<bool(size_t index, const Measurement&)>& done) = 0;
  // Times candidates against each other in interleaved rounds: one Measurement each.
  virtual Result<std::vector<Measurement>> Compare(const Task& task,
                                                   std::span<const Trace> traces) = 0;
};

}  // namespace whet
