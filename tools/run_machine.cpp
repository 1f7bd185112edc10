#include "tools/run_machine.h"

namespace whet {

Result<MachineModel> MachineOfRun(const Target& target, const Json& machine) {
  ASSIGN_OR_RETURN(MachineModel model, target.Machine());
  if (!machine.is_object()) return model;
  ASSIGN_OR_RETURN(model.l1_bytes, FieldOr<int64_t>(machine, "l1_bytes", model.l1_bytes));
  ASSIGN_OR_RETURN(model.l2_bytes, FieldOr<int64_t>(machine, "l2_bytes", model.l2_bytes));
  ASSIGN_OR_RETURN(model.l3_bytes, FieldOr<int64_t>(machine, "l3_bytes", model.l3_bytes));
  return model;
}

}  // namespace whet
