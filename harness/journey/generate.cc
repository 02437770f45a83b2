// The distribution of cases. Weights are chosen for what a zarr user does: read-only stores and
// arrays often, odd keys and odd ranges now and then.
#include "harness/journey/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/base/text.h"

namespace storefuzz {
namespace {

const std::vector<std::string>& usual_keys() {
  static const std::vector<std::string> keys{"a", "a/b", "a/c", "c/0", "c/1", "zarr.json", "g/a"};
  return keys;
}

// Keys that stores tend to treat in their own way; none climbs out of the case's folder, in which
// the store lies.
const std::vector<std::string>& odd_keys() {
  static const std::vector<std::string> keys{
      "",       "/a",  "a//b",  "a/",        "A",    "./a", "a\\b", "a b",
      "\u00e9", "..a", "a/./b", "a.partial", "../a", "a*",  "[a]",  std::string("a\0b", 3)};
  return keys;
}

std::string generate_key(Choices& choices) {
  return choices.one_in(16) ? choices.among(odd_keys()) : choices.among(usual_keys());
}

std::vector<Entry> array_entries() {
  return {{.key = "zarr.json", .value = std::string(kArrayMetadata)},
          {.key = "c/0", .value = "ab"},
          {.key = "c/1", .value = "cd"}};
}

template <class Enum>
Enum any(Choices& choices) {
  return choices.among(all_of<Enum>());
}

}  // namespace

Entry generate_entry(Choices& choices) {
  static const std::vector<std::string> values{"ab", "", "x", "0123456789", "{}", "Hello, zarr"};
  Entry entry{.key = generate_key(choices), .value = choices.among(values)};
  // Small writes stay in a buffer: for effects of crash and append some values exceed 8 KiB.
  if (choices.one_in(12)) entry = {.key = entry.key, .value = "0123456789abcdef", .repeat = 640};
  return entry;
}

Archive generate_archive(Choices& choices) {
  Archive archive{.compression = any<Compression>(choices)};
  if (!choices.one_in(3)) archive.entries = array_entries();
  if (choices.one_in(4))
    archive.entries.push_back({.key = "g/zarr.json", .value = std::string(kGroupMetadata)});
  const std::uint32_t more = choices.below(4);
  for (std::uint32_t i = 0; i < more; ++i) archive.entries.push_back(generate_entry(choices));
  return archive;
}

Twist generate_twist(Choices& choices) {
  const std::vector<TwistKind>& kinds = all_twists();
  // What sound writers write as well (folders, descriptors, zip64) is what people send most.
  static const std::vector<TwistKind> sound = [&] {
    std::vector<TwistKind> list;
    std::ranges::copy_if(kinds, std::back_inserter(list),
                         [](const TwistKind& it) { return it.about == "sound"; });
    return list;
  }();
  const TwistKind* kind = choices.one_in(8) ? &choices.among(sound) : &choices.among(kinds);
  // What costs a hundred times as much is drawn a tenth as often.
  for (int again = 0; kind->heavy && !choices.one_in(16) && again < 8; ++again)
    kind = &choices.among(kinds);
  return {.name = std::string(kind->name),
          .entry = choices.below(8),
          .amount = choices.below(choices.one_in(4) ? 65'536 : 16)};
}

Constructor generate_constructor(Choices& choices) {
  // "r" stands twice: it is what people hand to a pool.
  static const std::vector<Mode> modes{Mode::kRead, Mode::kWrite, Mode::kAppend, Mode::kExclusive,
                                       Mode::kRead};
  Constructor made;
  made.mode = choices.among(modes);
  made.relative_path = choices.one_in(4);
  if (choices.one_in(4)) made.read_only = choices.one_in(2);
  made.compression = any<Compression>(choices);
  made.allow_zip64 = !choices.one_in(4);
  return made;
}

Operation generate_operation(Choices& choices) {
  static const std::vector<std::int64_t> numbers{0, 1, 2, 3, 5, 64, 20000};
  // A third are writes: what was never written cannot be lost.
  const What what = choices.one_in(3) ? What::kSet : any<What>(choices);
  Operation operation{.what = what, .entry = generate_entry(choices)};
  operation.start = choices.among(numbers);
  operation.end = choices.among(numbers);
  return operation;
}

std::vector<LookGroup> generate_looks(Choices& choices) {
  std::vector<LookGroup> looks;
  // What clears a store hides what came before: now and then only.
  for (LookGroup group : all_of<LookGroup>())
    if (group == LookGroup::kClear ? choices.below(4) == 3 : !choices.one_in(2))
      looks.push_back(group);
  return looks;
}

Result<std::vector<Carrier>> parse_carriers(std::string_view list) {
  std::vector<Carrier> carriers;
  for (const std::string& word : comma_separated(std::string(list))) {
    const auto& all = all_of<Carrier>();
    const auto found = std::ranges::find(all, word, [](Carrier it) { return name_of(it); });
    if (found == all.end())
      return bad_input(
          fmt::format("there is no carrier \"{}\"; see storefuzz list carriers", word));
    carriers.push_back(*found);
  }
  return carriers;
}

void generate_journey(Case& value, Choices& choices) {
  // A spawned child is what a pool gives by default from Python 3.14 on, and elsewhere than on
  // Linux.
  value.transport = choices.one_in(4) ? Transport::kSpawn : any<Transport>(choices);
  // Half of all journeys are what a process pool does; the others try every carrier.
  value.carrier = choices.one_in(2) ? any<Carrier>(choices) : Carrier::kPickle5;
  if (choices.one_in(3)) value.comes_back = any<ComesBack>(choices);
  value.twice = choices.one_in(8);
  if (choices.one_in(5)) value.cargo = any<Cargo>(choices);
  if (choices.one_in(5)) value.meanwhile = any<Meanwhile>(choices);
  if (choices.one_in(6)) value.surroundings = any<Surroundings>(choices);
  value.twin = choices.one_in(2);
}

Case generate_case(std::span<const std::byte> bytes, const Stores& stores) {
  Choices choices(bytes);
  Case value;
  value.store = generate_store(choices, stores);
  value.constructor = generate_constructor(choices);
  // Mode r wants an archive, mode x wants none; one in eight gets what it does not want.
  const bool wants = value.constructor.mode != Mode::kExclusive;
  if (choices.one_in(8) != wants) value.archive = generate_archive(choices);
  value.lifecycle = any<Lifecycle>(choices);
  for (std::uint32_t count = choices.below(4); count > 0; --count)
    value.operations.push_back(generate_operation(choices));
  value.parent = any<Warmth>(choices);
  // Each look through zarr's own loop wakes two threads, and costs three looks by the caller.
  value.driver = choices.one_in(4) ? Driver::kLoop : Driver::kCaller;
  value.looks = generate_looks(choices);
  generate_journey(value, choices);
  normalise(value);
  return value;
}

}  // namespace storefuzz
