// The file of a trained model: one line of header, then XGBoost's own JSON
// (docs/formats/cost_model.md).
#include <cmath>

#include "base/file.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "costmodel/feature_list.h"
#include "costmodel/features.h"
#include "costmodel/xgboost_model.h"

namespace whet {
namespace {

constexpr std::string_view kFormat = "whet-cost-model";
constexpr int64_t kFormatVersion = 1;
constexpr uint64_t kSeedOfLoaded = 1;

struct Parsed {
  XgboostModel::Header header;
  int64_t feature_version = 0;
  std::string trees_fingerprint;
};

Result<Parsed> ParseHeader(std::string_view line) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line));
  ASSIGN_OR_RETURN(const std::string format, Field<std::string>(json, "format"));
  if (format != kFormat)
    return Fail(ErrorCode::kCorrupt, "its format is '{}', not '{}'", format, kFormat);
  ASSIGN_OR_RETURN(const int64_t version, Field<int64_t>(json, "version"));
  if (version > kFormatVersion) {
    return Fail(ErrorCode::kTooNew, "it has format version {}, this Whet reads up to {}", version,
                kFormatVersion);
  }
  Parsed parsed;
  ASSIGN_OR_RETURN(parsed.feature_version, Field<int64_t>(json, "feature_version"));
  ASSIGN_OR_RETURN(parsed.header.width, Field<int64_t>(json, "width"));
  ASSIGN_OR_RETURN(parsed.header.rows, Field<int64_t>(json, "rows"));
  ASSIGN_OR_RETURN(parsed.header.prior_weight, Field<double>(json, "prior_weight"));
  ASSIGN_OR_RETURN(parsed.trees_fingerprint, Field<std::string>(json, "trees"));
  if (parsed.header.width < 1 || parsed.header.rows < 1 ||
      !std::isfinite(parsed.header.prior_weight)) {
    return Fail(ErrorCode::kCorrupt, "its header has numbers that no model has");
  }
  return parsed;
}

}  // namespace

Result<std::unique_ptr<CostModel>> ParseXgboostModel(std::string_view text, int threads) {
  const size_t end = text.find('\n');
  if (end == std::string::npos) return Fail(ErrorCode::kCorrupt, "it has no header line");
  ASSIGN_OR_RETURN(Parsed parsed, ParseHeader(text.substr(0, end)));
  // The features of version 1 stand at the same places still, those of the machine behind them:
  // trees of that version ask for no more.
  if (parsed.feature_version == 1 && parsed.header.width == kMachineThreads) {
    parsed.feature_version = kFeatureVersion;
    parsed.header.width = kFeatureCount;
  }
  if (parsed.feature_version != kFeatureVersion) {
    return Fail(
        parsed.feature_version > kFeatureVersion ? ErrorCode::kTooNew : ErrorCode::kUnsupported,
        "it was trained on version {} of the features, this Whet has version {}; train it again",
        parsed.feature_version, kFeatureVersion);
  }
  const std::string trees(text.substr(end + 1));
  if (Fingerprint(trees) != parsed.trees_fingerprint) {
    return Fail(ErrorCode::kCorrupt, "its trees do not have the fingerprint that its header tells");
  }
  auto model = std::make_unique<XgboostModel>(kSeedOfLoaded, threads);
  RETURN_IF_ERROR(model->RestoreTrees(parsed.header, trees));
  return model;
}

Status SaveModel(const CostModel& model, const std::string& path) {
  const auto* trees_model = dynamic_cast<const XgboostModel*>(&model);
  if (trees_model == nullptr || !trees_model->trained()) {
    return Fail(ErrorCode::kInvalidInput, "{}: only a trained xgboost model can be saved", path);
  }
  if (trees_model->has_base())
    return Fail(ErrorCode::kInvalidInput, "{}: trees over another model cannot be saved alone",
                path);
  ASSIGN_OR_RETURN(const std::string trees, trees_model->SerializeTrees());
  const XgboostModel::Header& header = trees_model->header();
  const Json json = {{"format", kFormat},
                     {"version", kFormatVersion},
                     {"feature_version", kFeatureVersion},
                     {"width", header.width},
                     {"rows", header.rows},
                     {"prior_weight", header.prior_weight},
                     {"trees", Fingerprint(trees)}};
  return WriteFileAtomically(path, json.dump() + "\n" + trees);
}

Result<std::unique_ptr<CostModel>> LoadXgboostModel(const std::string& path, int threads) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  auto model = ParseXgboostModel(text, threads);
  if (!model) return Prefixed(model.error(), path + " is no cost model that can be loaded");
  return model;
}

}  // namespace whet
