// The changes, one row each. One that makes no sense for a program changes nothing; what a change
// breaks, fit drops.
#include "harness/generate/mutate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "harness/generate/draft.h"
#include "harness/generate/generate.h"

namespace storefuzz::program {
namespace {

using Visit = std::function<void(std::string&)>;

// Every name of a handle in a step: those that it needs, then the one that it binds.
void each_handle(Step& step, const Visit& needed, const Visit& bound) {
  const auto if_named = [](std::string& name, const Visit& visit) {
    if (!name.empty()) visit(name);
  };
  std::visit(Each{[&](Make& make) {
                    if_named(make.around, needed);
                    bound(make.as);
                  },
                  [&](Call& call) {
                    std::ranges::for_each(call.on, needed);
                    if_named(call.other, needed);
                    if_named(call.as, bound);
                  },
                  [&](Carry& carry) {
                    needed(carry.from);
                    bound(carry.as);
                  },
                  [](Fork&) {}, [&](Deed& deed) { if_named(deed.handle, needed); }},
             step);
}

void each_process(Step& step, const Visit& visit) {
  std::visit(Each{[&](Make& it) { visit(it.in); }, [&](Call& it) { visit(it.in); },
                  [&](Carry& it) {
                    visit(it.in);
                    visit(it.to);
                  },
                  [&](Fork& it) { visit(it.in); }, [&](Deed& it) { visit(it.in); }},
             step);
}

std::vector<std::string> handles_of(const Case& value) {
  std::vector<std::string> names;
  for (Step step : value.steps)
    each_handle(step, [](std::string&) {}, [&](std::string& name) { names.push_back(name); });
  return names;
}

// What the program is about already, and what it could be about.
Taste taste_of(const Case& value, Choices& choices, const Stores& stores,
               const std::vector<std::string>& releases) {
  Taste taste = draw_taste(choices, stores, releases);
  for (const Step& step : value.steps) {
    if (const auto* make = std::get_if<Make>(&step); make && !make->kind->wraps)
      taste.kinds.push_back(make->kind);
    const auto* call = std::get_if<Call>(&step);
    taste.arrays |= call && is_about_nodes(operation(call->op));
  }
  std::ranges::copy(keys_of(value), std::back_inserter(taste.keys));
  for (const Process& process : value.processes) taste.forks |= process.began == Began::kFork;
  return taste;
}

struct Mutation {
  Case& value;
  const Taste& taste;
  Choices& choices;

  std::size_t place(std::size_t size) { return choices.below(static_cast<std::uint32_t>(size)); }
  Step& some_step() { return value.steps[place(value.steps.size())]; }
  // A step of that kind, if one of a few that are drawn is.
  template <class Kind>
  Kind* some() {
    for (int attempt = 0; attempt < 6; ++attempt)
      if (auto* step = std::get_if<Kind>(&some_step())) return step;
    return nullptr;
  }
  std::string some_process() {
    const std::size_t drawn = place(value.processes.size() + 1);
    return drawn == 0 ? std::string(kHome) : value.processes[drawn - 1].name;
  }
};

// One to three steps that are drawn for what is at stake at that place.
void insert_steps(Mutation& it) {
  const std::size_t before = it.place(it.value.steps.size() + 1);
  Draft draft(it.taste, it.choices, it.value);
  for (std::string& name : handles_of(it.value)) draft.reserve(std::move(name));
  for (std::size_t i = 0; i < before; ++i) draft.take(it.value.steps[i]);
  for (std::uint32_t more = 1 + it.choices.below(3); more > 0; --more) draft.draw_step();
  for (std::size_t i = before; i < it.value.steps.size(); ++i) draft.take(it.value.steps[i]);
  it.value = std::move(draft).finish();
}

void append_end(Mutation& it) {
  Draft draft(it.taste, it.choices, it.value);
  for (const Step& step : it.value.steps) draft.take(step);
  draft.draw_end();
  it.value = std::move(draft).finish();
}

void delete_step(Mutation& it) {
  it.value.steps.erase(it.value.steps.begin() +
                       static_cast<std::ptrdiff_t>(it.place(it.value.steps.size())));
}

void swap_steps(Mutation& it) { std::swap(it.some_step(), it.some_step()); }

void repeat_step(Mutation& it) {
  const Step again = it.some_step();
  it.value.steps.insert(
      it.value.steps.begin() + static_cast<std::ptrdiff_t>(it.place(it.value.steps.size() + 1)),
      again);
}

void retarget_handle(Mutation& it) {
  const std::vector<std::string> names = handles_of(it.value);
  if (names.empty()) return;
  std::vector<std::string*> needed;
  each_handle(
      it.some_step(), [&](std::string& name) { needed.push_back(&name); }, [](std::string&) {});
  if (!needed.empty()) *it.choices.among(needed) = it.choices.among(names);
}

void mirror_call(Mutation& it) {
  const std::vector<std::string> names = handles_of(it.value);
  if (auto* call = it.some<Call>(); call && !names.empty())
    call->on.push_back(it.choices.among(names));
}

void retarget_key(Mutation& it) {
  if (auto* call = it.some<Call>()) call->key = draw_key(it.taste, it.choices);
}

void retarget_value(Mutation& it) {
  static const std::vector<std::uint32_t> sizes{0, 9'000, 3, 64, 70'000};
  if (auto* call = it.some<Call>()) call->value.size = it.choices.among(sizes);
}

void retarget_process(Mutation& it) {
  std::vector<std::string*> processes;
  each_process(it.some_step(), [&](std::string& name) { processes.push_back(&name); });
  *it.choices.among(processes) = it.some_process();
}

void change_operation(Mutation& it) {
  auto* call = it.some<Call>();
  if (!call) return;
  const Family family = operation(call->op).family;
  std::vector<Op> near;
  for (const Operation& row : operations())
    if (row.family == family && (!row.misuse || it.taste.misuse)) near.push_back(row.op);
  call->op = it.choices.among(near);
}

void change_call(Mutation& it) {
  static const std::vector<std::int64_t> numbers{0, 1, 2, 3, 4, 8, 64, -1};
  auto* call = it.some<Call>();
  if (!call) return;
  switch (it.choices.below(5)) {
    case 0:
      call->watched = !call->watched;
      break;
    case 1:
      call->by = call->by == By::kHand ? By::kSync : By::kHand;
      break;
    case 2:
      call->flag = !call->flag;
      break;
    case 3:
      call->start = it.choices.among(numbers);
      break;
    default:
      call->end = it.choices.among(numbers);
  }
}

void change_make(Mutation& it) {
  auto* make = it.some<Make>();
  if (!make) return;
  switch (it.choices.below(5)) {
    case 0:
      make->mode = it.choices.among(all_of<Mode>());
      break;
    case 1:
      make->relative = !make->relative;
      break;
    case 2:
      if (make->read_only)
        make->read_only.reset();
      else
        make->read_only = !it.choices.one_in(3);
      break;
    case 3:
      make->deflated = !make->deflated;
      break;
    default:
      if (make->around.empty()) {
        make->kind = it.choices.among(it.taste.kinds);
        make->at = place_name(make->kind, it.choices.one_in(6));
      }
  }
}

void change_carry(Mutation& it) {
  auto* carry = it.some<Carry>();
  if (!carry) return;
  if (it.choices.one_in(3))
    carry->cargo = it.choices.among(all_of<Cargo>());
  else
    carry->carrier = it.choices.among(all_of<Carrier>());
}

void change_deed(Mutation& it) {
  if (auto* deed = it.some<Deed>()) deed->what = it.choices.among(all_of<What>());
}

void change_before(Mutation& it) {
  std::vector<Place>& before = it.value.before;
  if (!before.empty() && it.choices.one_in(2)) {
    std::vector<Entry>& entries = before[it.place(before.size())].entries;
    if (!entries.empty())
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(it.place(entries.size())));
    return;
  }
  const auto* make = it.some<Make>();
  if (!make || make->at.empty()) return;
  auto place = std::ranges::find(before, make->at, &Place::name);
  if (place == before.end()) place = before.insert(before.end(), Place{.name = make->at});
  place->entries.push_back({draw_key(it.taste, it.choices), {.word = "v"}});
}

// Drawn here alone: of an archive that is wrong the model has no opinion. Of a place that is no
// archive, fit takes them.
void change_twists(Mutation& it) {
  if (it.value.before.empty()) return;
  std::vector<Twist>& twists = it.value.before[it.place(it.value.before.size())].twists;
  if (twists.empty() || it.choices.one_in(3))
    twists.push_back(draw_twist(it.choices));
  else
    twists.pop_back();
}

// One more, or one that begins otherwise; its fork is drawn with it.
void change_processes(Mutation& it) {
  std::vector<Process>& list = it.value.processes;
  if (!list.empty() && it.choices.one_in(3)) {
    Process& process = list[it.place(list.size())];
    if (!it.taste.releases.empty() && it.choices.one_in(2)) {
      process.subject = draw_subject(it.taste, it.choices);
      return;
    }
    process.began = process.began == Began::kSpawn ? Began::kFork : Began::kSpawn;
    return;
  }
  std::string name;
  for (std::size_t i = 1; name.empty(); ++i)
    if (const auto other = fmt::format("p{}", i);
        std::ranges::find(list, other, &Process::name) == list.end())
      name = other;
  const Began began = it.choices.one_in(2) ? Began::kFork : Began::kSpawn;
  list.push_back({name, began, draw_subject(it.taste, it.choices)});
  const auto at = static_cast<std::ptrdiff_t>(it.place(it.value.steps.size() + 1));
  if (began == Began::kFork)
    it.value.steps.insert(it.value.steps.begin() + at, Fork{.process = name});
  else if (auto* carry = it.some<Carry>())
    carry->to = name;
}

struct Change {
  std::uint32_t weight;
  void (*make)(Mutation&);
};
constexpr Change kChanges[] = {
    {8, insert_steps},     {4, delete_step},   {3, swap_steps},       {2, repeat_step},
    {4, retarget_handle},  {3, retarget_key},  {1, retarget_value},   {2, retarget_process},
    {3, change_operation}, {2, change_call},   {2, change_make},      {2, change_carry},
    {1, change_deed},      {1, change_before}, {1, change_processes}, {1, mirror_call},
    {1, change_twists},    {1, append_end},
};

void change_once(Case& value, Choices& choices, const Stores& stores,
                 const std::vector<std::string>& releases) {
  static const std::vector<std::uint32_t> weights = [] {
    std::vector<std::uint32_t> list;
    for (const Change& change : kChanges) list.push_back(change.weight);
    return list;
  }();
  const Taste taste = taste_of(value, choices, stores, releases);
  Mutation mutation{value, taste, choices};
  kChanges[choices.weighted(weights)].make(mutation);
  fit(value);
}

}  // namespace

Case mutate_program(const Case& value, std::span<const std::byte> bytes, const Stores& stores,
                    const std::vector<std::string>& releases) {
  Choices choices(bytes);
  if (value.steps.empty() || choices.one_in(4))
    return generate_program(bytes.subspan(std::min<std::size_t>(1, bytes.size())), stores,
                            releases);
  Case next = value;
  for (std::uint32_t times = 1 + choices.below(3); times > 0 && !next.steps.empty(); --times)
    change_once(next, choices, stores, releases);
  name_values(next);
  fit(next);
  return next;
}

Case splice_programs(const Case& left, const Case& right, std::span<const std::byte> bytes) {
  Choices choices(bytes);
  const auto cut = [&](const Case& value) {
    return choices.below(static_cast<std::uint32_t>(value.steps.size() + 1));
  };
  Case mixed = left;
  mixed.steps.resize(cut(left));
  for (const Place& place : right.before)
    if (std::ranges::find(mixed.before, place.name, &Place::name) == mixed.before.end())
      mixed.before.push_back(place);
  for (const Process& process : right.processes)
    if (std::ranges::find(mixed.processes, process.name, &Process::name) == mixed.processes.end())
      mixed.processes.push_back(process);
  // What the end of `right` needs of its own beginning, is one of `left`; what it binds gets a name
  // that nobody has.
  const std::vector<std::string> there = handles_of(mixed);
  std::map<std::string, std::string> names;
  const auto needed = [&](std::string& name) {
    const auto known = names.find(name);
    if (known != names.end())
      name = known->second;
    else if (!there.empty())
      name = names[name] = choices.among(there);
  };
  const auto bound = [&](std::string& name) {
    for (std::size_t i = 0;; ++i) {
      std::string other = fmt::format("s{}", i);
      const auto taken = [&](const auto& it) { return it.second == other; };
      if (std::ranges::find(there, other) != there.end() || std::ranges::any_of(names, taken))
        continue;
      name = names[name] = std::move(other);
      return;
    }
  };
  for (std::size_t i = cut(right); i < right.steps.size(); ++i)
    each_handle(mixed.steps.emplace_back(right.steps[i]), needed, bound);
  fit(mixed);
  name_values(mixed);
  fit(mixed);
  return mixed;
}

}  // namespace storefuzz::program
