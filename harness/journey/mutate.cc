// The mutations, one case label each. A mutation that makes no sense for a case changes nothing.
#include "harness/journey/mutate.h"

namespace storefuzz {
namespace {

void mutate_twists(std::vector<Twist>& twists, Choices& choices) {
  Twist& one = twists[choices.below(static_cast<std::uint32_t>(twists.size()))];
  switch (choices.below(5)) {
    case 0:
      if (twists.size() < kMaxTwists && choices.one_in(4))
        twists.push_back(generate_twist(choices));
      break;
    case 1:
      if (twists.size() > 1) twists.erase(twists.begin() + (&one - twists.data()));
      break;
    case 2:
      one.amount = choices.below(choices.one_in(4) ? 65'536 : 16);
      break;
    case 3:
      one.entry = choices.below(8);
      break;
    default:
      one = generate_twist(choices);
  }
}

void mutate_archive(Case& value, Choices& choices) {
  if (!value.archive || choices.one_in(6)) {
    value.archive = generate_archive(choices);
    return;
  }
  if (wrong_on_purpose(value) && !choices.one_in(3))
    return mutate_twists(value.archive->twists, choices);
  std::vector<Entry>& entries = value.archive->entries;
  switch (choices.below(4)) {
    case 0:
      value.archive.reset();
      break;
    case 1:
      value.archive->compression = choices.among(all_of<Compression>());
      break;
    case 2:
      if (entries.size() < kMaxEntries) entries.push_back(generate_entry(choices));
      break;
    default:
      if (!entries.empty()) entries.erase(entries.begin() + choices.below(entries.size()));
  }
}

void mutate_constructor(Constructor& made, Choices& choices) {
  switch (choices.below(5)) {
    case 0:
      made.mode = choices.among(all_of<Mode>());
      break;
    case 1:
      made.relative_path = !made.relative_path;
      break;
    case 2:
      if (made.read_only)
        made.read_only.reset();
      else
        made.read_only = choices.one_in(2);
      break;
    case 3:
      made.compression = choices.among(all_of<Compression>());
      break;
    default:
      made.allow_zip64 = !made.allow_zip64;
  }
}

void mutate_operations(Case& value, Choices& choices) {
  std::vector<Operation>& list = value.operations;
  if (value.lifecycle == Lifecycle::kNew) value.lifecycle = Lifecycle::kOpen;
  const auto place = [&] { return list.begin() + choices.below(list.size() + 1); };
  if (list.empty() || (list.size() < kMaxOperations && choices.one_in(2))) {
    list.insert(place(), generate_operation(choices));
  } else if (choices.one_in(2)) {
    list.erase(list.begin() + choices.below(list.size()));
  } else {
    list[choices.below(list.size())] = generate_operation(choices);
  }
}

void mutate_looks(Case& value, Choices& choices) {
  const LookGroup group = choices.among(all_of<LookGroup>());
  if (std::erase(value.looks, group) == 0) value.looks.push_back(group);
}

void mutate_around(Case& value, Choices& choices) {
  switch (choices.below(5)) {
    case 0:
      value.cargo = choices.among(all_of<Cargo>());
      break;
    case 1:
      value.meanwhile = choices.among(all_of<Meanwhile>());
      break;
    case 2:
      value.surroundings = choices.among(all_of<Surroundings>());
      break;
    case 3:
      value.twice = !value.twice;
      break;
    default:
      value.twin = !value.twin;
  }
}

void mutate_once(Case& value, Choices& choices, const Stores& stores) {
  switch (choices.below(14)) {
    case 0:
      value.store = generate_store(choices, stores);
      break;
    case 1:
    case 2:
      mutate_archive(value, choices);
      break;
    case 3:
    case 4:
      mutate_constructor(value.constructor, choices);
      break;
    case 5:
    case 6:
      mutate_operations(value, choices);
      break;
    case 7:
      value.lifecycle = choices.among(all_of<Lifecycle>());
      break;
    case 8:
      value.parent = choices.among(all_of<Warmth>());
      value.driver = choices.among(all_of<Driver>());
      break;
    case 9:
      mutate_looks(value, choices);
      break;
    case 10:
      value.carrier = choices.among(all_of<Carrier>());
      break;
    case 11:
      generate_journey(value, choices);
      break;
    case 12:
      mutate_around(value, choices);
      break;
    default:
      value.transport = choices.among(all_of<Transport>());
      value.comes_back = choices.among(all_of<ComesBack>());
  }
}

}  // namespace

Case mutate_case(const Case& value, std::span<const std::byte> bytes, const Stores& stores) {
  Choices choices(bytes);
  if (choices.one_in(2))
    return generate_case(bytes.subspan(std::min<std::size_t>(1, bytes.size())), stores);
  Case next = value;
  for (std::uint32_t times = 1 + choices.below(3); times > 0; --times)
    mutate_once(next, choices, stores);
  normalise(next);
  return within_bounds(next) ? next : value;
}

Case cross_cases(const Case& left, const Case& right, std::span<const std::byte> bytes) {
  Choices choices(bytes);
  Case mixed = left;
  if (choices.one_in(2)) mixed.archive = right.archive;
  if (choices.one_in(2)) mixed.constructor = right.constructor;
  if (choices.one_in(2)) mixed.operations = right.operations;
  if (choices.one_in(2)) mixed.lifecycle = right.lifecycle;
  if (choices.one_in(2)) mixed.looks = right.looks;
  if (choices.one_in(2)) mixed.parent = right.parent;
  if (choices.one_in(2)) mixed.driver = right.driver;
  if (choices.one_in(2)) {
    mixed.carrier = right.carrier;
    mixed.transport = right.transport;
    mixed.comes_back = right.comes_back;
    mixed.twice = right.twice;
    mixed.cargo = right.cargo;
  }
  if (choices.one_in(2)) {
    mixed.meanwhile = right.meanwhile;
    mixed.surroundings = right.surroundings;
    mixed.twin = right.twin;
  }
  normalise(mixed);
  return within_bounds(mixed) ? mixed : left;
}

}  // namespace storefuzz
