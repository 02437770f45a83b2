// A twin's make says the same as far as its kind has the words: a mode that reads becomes read-only
// and the other way round; so does a kind that never writes. What lies in memory gets a place.
#include "harness/generate/twins.h"

#include <algorithm>
#include <optional>

namespace storefuzz::program {
namespace {

// A session's content is its own, and a cache answers as things were: neither need agree.
bool may_have_twins(StoreKind kind) { return kind->shared != Shared::kSession && !kind->caches; }

bool may_be_twin(StoreKind kind) { return !kind->wraps && kind->writes && may_have_twins(kind); }

// What lies on a disk before, nobody has put into memory.
bool can_become(const Case& value, const Make& make, StoreKind kind) {
  const StoreKind old = innermost(make.kind);
  if (!may_have_twins(old) || make.kind->caches) return false;
  const bool memory = kind->medium == Medium::kMemory;
  if (old->medium == Medium::kMemory) return true;
  if (!value.before.empty() && (memory || kind->opaque)) return false;
  const bool truncates = make.mode == Mode::kWrite || make.mode == Mode::kExclusive;
  return !truncates || !old->takes("mode") || kind->takes("mode");
}

// On a disk all stores of one dictionary have one place, and each object has its own.
std::string place_of_memory(const Make& make, StoreKind kind) {
  return kind->shared == Shared::kProcess ? make.in : make.as;
}

std::optional<Make> become(const Make& make, StoreKind kind) {
  const auto replaced = with_innermost(make.kind, kind);
  if (!replaced) return std::nullopt;
  Make other = make;
  other.kind = *replaced;
  const StoreKind old = innermost(make.kind);
  if (old->medium == Medium::kMemory && kind->medium != Medium::kMemory)
    other.at = place_of_memory(make, old);
  const bool had_mode = make.kind->takes("mode"), has_mode = (*replaced)->takes("mode");
  const bool only_reads = !old->writes || make.read_only.value_or(false);
  if (had_mode && !has_mode && make.mode == Mode::kRead && !make.read_only) other.read_only = true;
  if (!old->writes) other.read_only = true;
  if (!had_mode && has_mode && only_reads) other.mode = Mode::kRead;
  return other;
}

// nullopt: not every make can become that kind, or nothing would be another store.
std::optional<Case> twin_of(const Case& value, StoreKind kind, CrashStates crash_states) {
  Case twin = value;
  bool another = false;
  for (Step& step : twin.steps) {
    if (auto* call = std::get_if<Call>(&step); call && crash_states == CrashStates::kNone)
      call->watched = false;
    auto* make = std::get_if<Make>(&step);
    if (!make || !make->around.empty()) continue;
    if (!can_become(value, *make, kind)) return std::nullopt;
    another = another || innermost(make->kind) != kind;
    auto other = become(*make, kind);
    if (!other) return std::nullopt;
    *make = std::move(*other);
  }
  if (!another) return std::nullopt;
  fit(twin);
  const bool same_handles =
      twin.steps.size() == value.steps.size() &&
      std::ranges::equal(twin.steps, value.steps, [](const Step& one, const Step& other) {
        const auto *left = std::get_if<Call>(&one), *right = std::get_if<Call>(&other);
        return one.index() == other.index() && (!left || left->on == right->on);
      });
  if (!same_handles || twin.before != value.before) return std::nullopt;
  return twin;
}

}  // namespace

std::vector<Case> twins_of(const Case& value, const Stores& stores, CrashStates crash_states) {
  std::vector<Case> twins;
  for (const StoreKind kind : stores)
    if (may_be_twin(kind))
      if (auto twin = twin_of(value, kind, crash_states)) twins.push_back(std::move(*twin));
  return twins;
}

}  // namespace storefuzz::program
