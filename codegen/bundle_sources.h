// The texts that a bundle's generated C files consist of.
#pragma once

#include <string>

#include "runtime/plan.h"

namespace whet {

// NAME_table.c: the kernels by symbol, NAME_create and NAME_kernels.
std::string KernelTableSource(const PlanSpec& plan, const std::string& name,
                              const std::string& bundle_id);

// NAME.h: NAME_create, and what the network takes and gives.
std::string BundleHeader(const PlanSpec& plan, const std::string& name,
                         const std::string& description, const std::string& license);

// The linker's version script: the shared object shows the C interface and nothing else.
std::string ExportScript(const std::string& name);

}  // namespace whet
