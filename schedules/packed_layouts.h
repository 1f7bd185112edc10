// Packed layouts of a task's inputs, as kPack directives give them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schedules/trace.h"

namespace whet {

// By input name; inputs that are not in it have their natural layout.
using PackedLayouts = std::map<std::string, std::vector<PackLevel>>;

PackedLayouts PackedLayoutsOf(const std::vector<Directive>& directives);

}  // namespace whet
