// Greedy descent over typed reductions; a plainer journey counts as smaller than a smaller archive.
#include "harness/campaign/shrink.h"

#include <fmt/format.h>

#include <chrono>

namespace storefuzz {
namespace {

class Reducer {
 public:
  explicit Reducer(const Case& value) : value_(value) {}

  std::vector<Case> run() {
    reduce_journey();
    reduce_looks();
    reduce_operations();
    reduce_archive();
    reduce_constructor();
    return std::move(out_);
  }

 private:
  template <class Change>
  void offer(Change change) {
    Case next = value_;
    change(next);
    normalise(next);
    if (next != value_ && within_bounds(next)) out_.push_back(std::move(next));
  }

  // Everything that comes before the present choice in the order of the enumeration, plainest
  // first.
  template <class Enum>
  void offer_plainer(Enum Case::* member) {
    for (const Enum candidate : all_of<Enum>()) {
      if (candidate == value_.*member) return;
      offer([&](Case& next) { next.*member = candidate; });
    }
  }

  void reduce_journey() {
    offer_plainer(&Case::transport);
    for (const Carrier candidate : all_of<Carrier>()) {
      if (candidate == value_.carrier) break;
      // Only a fork inherits, and a fork is not plainer.
      if (candidate == Carrier::kInherited && value_.transport != Transport::kFork) continue;
      offer([&](Case& next) { next.carrier = candidate; });
    }
    offer_plainer(&Case::comes_back);
    if (value_.pool != Pool::kNone) offer([](Case& next) { next.pool = Pool::kNone; });
    offer_plainer(&Case::cargo);
    offer_plainer(&Case::meanwhile);
    offer_plainer(&Case::surroundings);
    if (value_.twice) offer([](Case& next) { next.twice = false; });
    if (value_.twin) offer([](Case& next) { next.twin = false; });
    offer_plainer(&Case::parent);
    if (value_.driver == Driver::kLoop) offer([](Case& next) { next.driver = Driver::kCaller; });
    offer_plainer(&Case::lifecycle);
  }

  void reduce_looks() {
    if (value_.looks.size() > 1)
      for (const LookGroup group : value_.looks) offer([&](Case& next) { next.looks = {group}; });
    for (const LookGroup group : value_.looks)
      offer([&](Case& next) { std::erase(next.looks, group); });
  }

  void reduce_operations() {
    if (value_.operations.size() > 1) offer([](Case& next) { next.operations.clear(); });
    for (std::size_t i = 0; i < value_.operations.size(); ++i) {
      offer([&](Case& next) { next.operations.erase(next.operations.begin() + i); });
      offer([&](Case& next) { plainer(next.operations[i].entry); });
    }
  }

  void reduce_archive() {
    if (!value_.archive) return;
    offer([](Case& next) { next.archive.reset(); });
    offer([](Case& next) { next.archive->entries.clear(); });
    offer([](Case& next) { next.archive->compression = Compression::kStored; });
    for (std::size_t i = 0; i < value_.archive->twists.size(); ++i) {
      offer([&](Case& next) { next.archive->twists.erase(next.archive->twists.begin() + i); });
      offer([&](Case& next) { next.archive->twists[i].entry = 0; });
      offer([&](Case& next) { next.archive->twists[i].amount = 0; });
    }
    for (std::size_t i = 0; i < value_.archive->entries.size(); ++i) {
      offer([&](Case& next) { next.archive->entries.erase(next.archive->entries.begin() + i); });
      offer([&](Case& next) { plainer(next.archive->entries[i]); });
    }
  }

  // A shorter value, then a shorter key; metadata of an array stays what it is.
  static void plainer(Entry& entry) {
    if (entry.repeat > 1)
      entry.repeat = 1;
    else if (entry.value.size() > 1 && !entry.key.ends_with("zarr.json"))
      entry.value = "x";
    else if (entry.key != "a" && entry.key.size() > 1 && plain_key(entry.key) &&
             !entry.key.ends_with("zarr.json"))
      entry.key = "a";
  }

  void reduce_constructor() {
    offer([](Case& next) { next.constructor.relative_path = false; });
    offer([](Case& next) { next.constructor.read_only.reset(); });
    offer([](Case& next) { next.constructor.compression = Compression::kStored; });
    offer([](Case& next) { next.constructor.allow_zip64 = true; });
    if (value_.constructor.mode != Mode::kRead)
      offer([](Case& next) { next.constructor.mode = Mode::kRead; });
  }

  const Case& value_;
  std::vector<Case> out_;
};

}  // namespace

std::vector<Case> reductions(const Case& value) { return Reducer(value).run(); }

Result<Shrunk> shrink(Player& player, const Case& value, std::string_view fingerprint,
                      Milliseconds budget, const std::function<bool()>& stop) {
  const auto until = std::chrono::steady_clock::now() + budget;
  auto first = player.play(value);
  if (!first) return std::unexpected(first.error());
  if (!find(first->findings, fingerprint))
    return machine_failure(kNotShownAgain);
  Shrunk best{.value = value, .played = std::move(*first), .tried = 1, .way = {value}};
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const Case& candidate : reductions(best.value)) {
      if (std::chrono::steady_clock::now() > until || (stop && stop())) return best;
      auto played = player.play(candidate);
      ++best.tried;
      // By a fault of ours a candidate may not be playable: then it is not the smaller case.
      if (!played || !find(played->findings, fingerprint)) continue;
      best.value = candidate;
      best.way.push_back(candidate);
      best.played = std::move(*played);
      smaller = true;
      break;
    }
  }
  return best;
}

}  // namespace storefuzz
