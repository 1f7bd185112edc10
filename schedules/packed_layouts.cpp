#include "schedules/packed_layouts.h"

namespace whet {

PackedLayouts PackedLayoutsOf(const std::vector<Directive>& directives) {
  PackedLayouts packed;
  for (const Directive& d : directives)
    if (d.kind == DirectiveKind::kPack) packed[d.stage] = d.layout;
  return packed;
}

}  // namespace whet
