#include "search/evolutionary_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/search/invented_space.h"

namespace whet {
namespace {

class EvolutionarySearchTest : public testing::Test {
 protected:
  ProposalBatch Propose(size_t batch, uint64_t seed = 1, std::vector<Trace> hints = {}) {
    auto proposed = EvolutionarySearch(options_).Propose(source_, set_, {musts_, hints, stagnates_},
                                                         *model_, batch, seed);
    if (!proposed) ADD_FAILURE() << proposed.error().message;
    return proposed.value_or(ProposalBatch());
  }
  // Measures a batch on the invented machine.
  void Measure(const ProposalBatch& batch) {
    for (const Proposal& p : batch.proposals) {
      set_.Add(Measured(p.trace, InventedMs(InventedSource::PointOf(p.trace)), p.is_default),
               p.features);
    }
  }
  void Train() {
    TrainingSet training;
    set_.AppendTo(training, 0);
    ASSERT_TRUE(model_->Train(training));
  }
  double BestAfter(int64_t trials, uint64_t seed) {
    set_ = {};
    model_ = *MakeXgboostModel(seed, 1);
    while (static_cast<int64_t>(set_.size()) < trials) {
      if (set_.size() > 0 && options_.strategy == SearchStrategy::kEvolutionary) Train();
      Measure(Propose(16, seed * 1000 + set_.size()));
    }
    return static_cast<double>(set_.best_ns()) / 1e6;
  }

  EvolutionOptions options_ = {.threads = 1};
  InventedSource source_;
  CandidateSet set_;
  std::vector<Trace> musts_;
  bool stagnates_ = false;
  std::unique_ptr<CostModel> model_ = *MakeXgboostModel(1, 1);
};

std::vector<uint64_t> Hashes(const ProposalBatch& batch) {
  std::vector<uint64_t> hashes;
  for (const Proposal& proposal : batch.proposals) hashes.push_back(proposal.hash);
  return hashes;
}

TEST_F(EvolutionarySearchTest, TheFirstProposalIsTheDefaultSchedule) {
  const ProposalBatch batch = Propose(16);
  ASSERT_EQ(batch.proposals.size(), 16u);
  EXPECT_TRUE(batch.proposals.front().is_default);
  EXPECT_EQ(batch.proposals.front().trace, source_.Default());
  for (size_t i = 1; i < 16; ++i) EXPECT_FALSE(batch.proposals[i].is_default);
  EXPECT_GT(batch.scored, 100);
}

TEST_F(EvolutionarySearchTest, NeverProposesACandidateTwice) {
  std::set<uint64_t> seen;
  for (int round = 0; round < 6; ++round) {
    const ProposalBatch batch = Propose(16, static_cast<uint64_t>(round));
    for (const Proposal& proposal : batch.proposals) {
      EXPECT_EQ(proposal.hash, proposal.trace.DirectivesHash());
      EXPECT_TRUE(seen.insert(proposal.hash).second);
    }
    Measure(batch);
    Train();
  }
}

TEST_F(EvolutionarySearchTest, TheSameSeedProposesTheSameOnAnyNumberOfThreads) {
  Measure(Propose(16));
  Train();
  const auto hashes = Hashes(Propose(16, 42));
  EXPECT_EQ(Hashes(Propose(16, 42)), hashes);
  options_.threads = 3;
  EXPECT_EQ(Hashes(Propose(16, 42)), hashes);
  EXPECT_NE(Hashes(Propose(16, 43)), hashes);
}

TEST_F(EvolutionarySearchTest, ProposesWhatMustBeMeasuredOnceAndRightAfterTheDefault) {
  musts_ = {source_.At({3, 1, 4, 1})};
  const ProposalBatch batch = Propose(16);
  EXPECT_EQ(batch.proposals[1].trace, musts_[0]);
  Measure(batch);
  for (const Proposal& proposal : Propose(16, 2).proposals) EXPECT_NE(proposal.trace, musts_[0]);
}

TEST_F(EvolutionarySearchTest, AGridTakesThePointsOfTheLatticeInOrder) {
  options_.strategy = SearchStrategy::kGrid;
  std::vector<std::vector<int64_t>> points;
  for (int round = 0; round < 3; ++round) {
    const ProposalBatch batch = Propose(8, static_cast<uint64_t>(round));
    for (const Proposal& p : batch.proposals) points.push_back(InventedSource::PointOf(p.trace));
    Measure(batch);
  }
  ASSERT_EQ(points.size(), 24u);  // the first one, the default, is the lattice's first point too
  for (int64_t i = 0; i < 24; ++i)
    EXPECT_EQ(points[static_cast<size_t>(i)], InventedSource::PointOf(source_.LatticePoint(i)));
}

TEST_F(EvolutionarySearchTest, ANicheGetsNoMoreThanItsShareOfABatch) {
  options_.explorer_share = 0;
  options_.niche_share = 0.25;
  source_.MakeNichesOf(0);  // one for each value of the first decision
  Measure(Propose(16));
  Train();
  std::map<int64_t, int> by_niche;
  for (const Proposal& proposal : Propose(16, 7).proposals)
    ++by_niche[InventedSource::PointOf(proposal.trace)[0]];
  EXPECT_GE(by_niche.size(), 4u);
  for (const auto& [niche, count] : by_niche) EXPECT_LE(count, 4) << niche;
}

TEST_F(EvolutionarySearchTest, ABatchThatBeginsAfreshIsFurtherFromWhatWasMeasured) {
  options_.generations = 0;
  options_.explorer_share = 0;
  // All that was measured has 11 for its first decision; mutants mostly keep it.
  for (int64_t b = 0; b < 12; ++b)
    for (int64_t c = 0; c < 4; ++c)
      set_.Add(Measured(source_.At({11, b, c, 0}), 1.0 + static_cast<double>(b)));
  const auto with_eleven = [&] {
    int count = 0;
    for (const Proposal& p : Propose(16, 3).proposals)
      count += InventedSource::PointOf(p.trace)[0] == 11;
    return count;
  };
  model_ = MakeRandomModel(1);
  const int mutants = with_eleven();
  stagnates_ = true;
  model_ = MakeRandomModel(1);
  EXPECT_LT(with_eleven(), mutants);
}

TEST_F(EvolutionarySearchTest, DropsWhatIsImplausibleButNotTheDefault) {
  source_.MakeImplausible(0);  // the default schedule among them
  const ProposalBatch batch = Propose(32);
  EXPECT_TRUE(batch.proposals.front().is_default);
  for (size_t i = 1; i < batch.proposals.size(); ++i) {
    EXPECT_NE(InventedSource::PointOf(batch.proposals[i].trace)[0], 0);
  }
}

TEST_F(EvolutionarySearchTest, SaysThatASmallSpaceIsExhausted) {
  source_ = InventedSource(2);  // 16 candidates
  size_t proposed = 0;
  for (int round = 0; round < 10; ++round) {
    const ProposalBatch batch = Propose(4, static_cast<uint64_t>(round));
    proposed += batch.proposals.size();
    Measure(batch);
  }
  EXPECT_EQ(proposed, 16u);
  EXPECT_TRUE(Propose(4).proposals.empty());
  options_.strategy = SearchStrategy::kRandom;
  EXPECT_TRUE(Propose(4).proposals.empty());
}

TEST_F(EvolutionarySearchTest, GivesHintsATrialInTheFirstRound) {
  const Trace hint = source_.At({8, 5, 9, 2});
  const ProposalBatch batch = Propose(8, 1, {hint});
  EXPECT_THAT(Hashes(batch), testing::Contains(hint.DirectivesHash()));
}

TEST_F(EvolutionarySearchTest, ExploitsWhatTheModelKnows) {
  for (int round = 0; round < 8; ++round) {
    Measure(Propose(16, static_cast<uint64_t>(round)));
    Train();
  }
  const ProposalBatch batch = Propose(16, 99);
  double mean = 0;
  for (size_t i = 0; i < 8; ++i)
    mean += InventedMs(InventedSource::PointOf(batch.proposals[i].trace)) / 8;
  EXPECT_LT(mean, 2.5);  // a random candidate takes 5 ms
}

TEST_F(EvolutionarySearchTest, RandomSearchUsesNoModel) {
  options_.strategy = SearchStrategy::kRandom;
  const ProposalBatch batch = Propose(16);
  EXPECT_EQ(batch.proposals.size(), 16u);
  EXPECT_EQ(batch.scored, 0);
  EXPECT_TRUE(batch.proposals.front().is_default);
  for (const Proposal& proposal : batch.proposals) EXPECT_FALSE(proposal.score);
}

TEST_F(EvolutionarySearchTest, FindsFasterCandidatesThanRandomSearchInAsManyTrials) {
  double evolved = 0;
  double random = 0;
  for (const uint64_t seed : {1, 2, 3}) {
    options_.strategy = SearchStrategy::kEvolutionary;
    evolved += std::log(BestAfter(64, seed)) / 3;
    options_.strategy = SearchStrategy::kRandom;
    random += std::log(BestAfter(64, seed)) / 3;
  }
  EXPECT_GT(std::exp(random - evolved), 1.2);
}

TEST(SearchStrategy, IsNamed) {
  EXPECT_EQ(*ParseSearchStrategy("random"), SearchStrategy::kRandom);
  EXPECT_EQ(*ParseSearchStrategy(Name(SearchStrategy::kEvolutionary)),
            SearchStrategy::kEvolutionary);
  EXPECT_FALSE(ParseSearchStrategy("exhaustive"));
}

TEST(CandidateSet, KnowsWhatItHasSeen) {
  InventedSource source;
  CandidateSet set;
  EXPECT_TRUE(set.Add(Measured(source.Default(), 8, true)));
  EXPECT_FALSE(set.Add(Measured(source.Default(), 1)));
  Record failed = Measured(source.At({1, 1, 1, 1}), 1);
  failed.measurement = {MeasureStatus::kRunCrash, "signal 11", {}, 0, 0};
  EXPECT_TRUE(set.Add(failed));
  EXPECT_TRUE(set.Add(Measured(source.At({2, 2, 2, 2}), 4)));
  EXPECT_EQ(set.size(), 3u);
  EXPECT_EQ(set.failed(), 1);
  EXPECT_EQ(set.best_ns(), 4'000'000);
  EXPECT_EQ(set.default_ns(), 8'000'000);
  EXPECT_EQ(set.Fastest(10).size(), 2u);
}

TEST(CandidateSet, AFinalComparisonBelongsToItsCandidate) {
  InventedSource source;
  CandidateSet set;
  set.Add(Measured(source.Default(), 8, true));
  EXPECT_FALSE(set.has_final());
  Record final_record = Measured(source.Default(), 9);
  final_record.role = RecordRole::kFinal;
  EXPECT_FALSE(set.Add(final_record));
  EXPECT_TRUE(set.has_final());
  EXPECT_EQ(set.default_ns(), 8'000'000);
  EXPECT_EQ(set.all().front().final_ns, 9'000'000);
}

TEST(CandidateSet, ACandidateThatWasFoundWrongOnceIsAFailedOne) {
  InventedSource source;
  CandidateSet set;
  set.Add(Measured(source.Default(), 8, true));
  set.Add(Measured(source.At({2, 2, 2, 2}), 4));
  const auto check = [&](const Trace& trace, MeasureStatus status) {
    Record record = Measured(trace, 1);
    record.role = RecordRole::kCheck;
    record.measurement = {status, "off by 3", {}, 0, 0};
    return set.Add(record);
  };
  check(source.At({2, 2, 2, 2}), MeasureStatus::kOutOfMemory);
  EXPECT_EQ(set.best_ns(), 4'000'000);
  EXPECT_FALSE(check(source.At({2, 2, 2, 2}), MeasureStatus::kWrongResult));
  EXPECT_EQ(set.best_ns(), 8'000'000);
  EXPECT_EQ(set.failed(), 1);
  EXPECT_EQ(set.Fastest(10).size(), 1u);
  // A check alone is no trial; the trial of what it found wrong fails, whatever its time.
  EXPECT_FALSE(check(source.At({1, 1, 1, 1}), MeasureStatus::kWrongResult));
  EXPECT_EQ(set.size(), 2u);
  EXPECT_TRUE(set.Add(Measured(source.At({1, 1, 1, 1}), 1)));
  EXPECT_EQ(set.best_ns(), 8'000'000);
}

TEST(CandidateSet, TrainsThroughputRelativeToTheTasksBest) {
  InventedSource source;
  CandidateSet set;
  set.Add(Measured(source.Default(), 8), {1, 2});
  set.Add(Measured(source.At({2, 2, 2, 2}), 4), {3, 4});
  Record failed = Measured(source.At({1, 1, 1, 1}), 1);
  failed.measurement = {MeasureStatus::kCompileError, "no", {}, 0, 0};
  set.Add(failed, {5, 6});
  set.Add(Measured(source.At({3, 3, 3, 3}), 2));  // without features
  TrainingSet training;
  set.AppendTo(training, 7);
  EXPECT_EQ(training.width, 2);
  EXPECT_EQ(training.features, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(training.throughput, (std::vector<float>{0.25, 0.5, 0}));
  EXPECT_EQ(training.task, (std::vector<int>{7, 7, 7}));
}

}  // namespace
}  // namespace whet
