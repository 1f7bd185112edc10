// whet.h on OpenBundle and Executor: no exception and no null pointer gets past these functions.

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "runtime/bundle_loader.h"
#include "runtime/thread_pool.h"
#include "runtime/whet.h"

struct whet_model {
  whet::Bundle bundle;
  const whet::PlanSpec& plan() const { return bundle.executor->plan(); }
};

namespace whet {
namespace {

std::string& LastError() {
  thread_local std::string message;
  return message;
}

int Failed(std::string message) {
  LastError() = std::move(message);
  return 1;
}

// Runs `body`, a Status; 0 on success, else 1 with the sentence kept.
template <typename Body>
int Guarded(Body body) {
  try {
    LastError().clear();
    const Status status = body();
    return status ? 0 : Failed(status.error().message);
  } catch (const std::exception& e) {
    return Failed(fmt::format("out of memory or a system failure: {}", e.what()));
  }
}

// How many threads the process's pool has: what the program asked for, or what its bundles were
// compiled for.
class PoolSize {
 public:
  void Request(int threads) {
    const std::lock_guard lock(mutex_);
    requested_ = threads;
    Apply();
  }
  void AddBundle(int threads) {
    const std::lock_guard lock(mutex_);
    compiled_for_ = std::max(compiled_for_, std::min(threads, AllowedCpuCount()));
    Apply();
  }

 private:
  void Apply() { SetThreadCount(requested_ > 0 ? requested_ : compiled_for_); }
  std::mutex mutex_;
  int requested_ = 0;
  int compiled_for_ = 1;
};

PoolSize& ThePoolSize() {
  static PoolSize size;
  return size;
}

Status FillInfo(const std::vector<PlanPort>& ports, const char* what, int32_t index,
                whet_tensor_info* info) {
  if (info == nullptr) return Fail(ErrorCode::kInvalidInput, "info is null");
  if (index < 0 || index >= static_cast<int32_t>(ports.size())) {
    return Fail(ErrorCode::kInvalidInput, "{} {} does not exist: the network has {}", what, index,
                ports.size());
  }
  const PlanPort& port = ports[static_cast<size_t>(index)];
  *info = {};
  info->name = port.name.c_str();
  info->dtype = Name(port.type.dtype).data();
  info->rank = static_cast<int32_t>(port.type.shape.size());
  std::copy(port.type.shape.begin(), port.type.shape.end(), info->shape);
  info->bytes = static_cast<size_t>(port.type.bytes());
  return {};
}

Status NoModel() { return Fail(ErrorCode::kInvalidInput, "the model is null"); }

}  // namespace
}  // namespace whet

extern "C" {

whet_model* whet_create(const char* bundle_directory) {
  whet_model* model = nullptr;
  whet::Guarded([&]() -> whet::Status {
    if (bundle_directory == nullptr) {
      return whet::Fail(whet::ErrorCode::kInvalidInput, "the bundle's directory is null");
    }
    ASSIGN_OR_RETURN(whet::Bundle bundle, whet::OpenBundle(bundle_directory));
    model = new whet_model{std::move(bundle)};
    whet::ThePoolSize().AddBundle(model->plan().threads);
    return {};
  });
  return model;
}

int whet_set_threads(int threads) {
  return whet::Guarded([&]() -> whet::Status {
    if (threads < 0) {
      return whet::Fail(whet::ErrorCode::kInvalidInput, "{} threads: expected 0 or more", threads);
    }
    whet::ThePoolSize().Request(threads);
    return {};
  });
}

int32_t whet_input_count(const whet_model* model) {
  return model == nullptr ? 0 : static_cast<int32_t>(model->plan().inputs.size());
}

int32_t whet_output_count(const whet_model* model) {
  return model == nullptr ? 0 : static_cast<int32_t>(model->plan().outputs.size());
}

int whet_input_info(const whet_model* model, int32_t index, whet_tensor_info* info) {
  return whet::Guarded([&] {
    return model == nullptr ? whet::NoModel()
                            : whet::FillInfo(model->plan().inputs, "input", index, info);
  });
}

int whet_output_info(const whet_model* model, int32_t index, whet_tensor_info* info) {
  return whet::Guarded([&] {
    return model == nullptr ? whet::NoModel()
                            : whet::FillInfo(model->plan().outputs, "output", index, info);
  });
}

int whet_run(whet_model* model, const void* const* inputs, void* const* outputs) {
  return whet::Guarded([&]() -> whet::Status {
    if (model == nullptr) return whet::NoModel();
    const size_t input_count = model->plan().inputs.size();
    const size_t output_count = model->plan().outputs.size();
    if ((inputs == nullptr && input_count > 0) || (outputs == nullptr && output_count > 0)) {
      return whet::Fail(whet::ErrorCode::kInvalidInput, "the list of {} is null",
                        inputs == nullptr ? "inputs" : "outputs");
    }
    return model->bundle.executor->Run({inputs, input_count}, {outputs, output_count});
  });
}

void whet_destroy(whet_model* model) { delete model; }

const char* whet_last_error(void) { return whet::LastError().c_str(); }

void whet_register_kernels(const char* bundle_id, const whet_kernel_entry* entries, int32_t count) {
  whet::Guarded([&]() -> whet::Status {
    std::vector<whet::LinkedKernel> kernels;
    for (int32_t i = 0; i < count; ++i) kernels.push_back({entries[i].symbol, entries[i].function});
    whet::RegisterLinkedKernels(bundle_id, std::move(kernels));
    return {};
  });
}

}  // extern "C"
