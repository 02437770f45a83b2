// Archives that are wrong on purpose. Readers may disagree about what is in them (the fourteen
// ambiguities of harness/zip/classes.h), or refuse them by any error: the model has no opinion of
// the content. What it still knows: a value that is shown stands somewhere in the file, and reading
// changes nothing.
#include <algorithm>
#include <variant>

#include "harness/model/world.h"
#include "harness/zip/layout.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

// What is packed, or said to be, is not shown as it lies there.
bool all_stored(std::string_view archive) {
  return std::ranges::none_of(parse_layout(archive).parts, [](const ZipPart& part) {
    const auto* local = std::get_if<LocalPart>(&part);
    const auto* central = std::get_if<CentralPart>(&part);
    return (local && (local->method != 0 || local->flags & 1)) ||
           (central && (central->method != 0 || central->flags & 1));
  });
}

}  // namespace

void World::twist(PlaceState& place, const Place& before) {
  place.unknown = Reason::kTwisted;
  place.twisted.emplace();
  place.names_folders = std::ranges::all_of(before.twists, [](const Twist& it) {
    const TwistKind* kind = find_twist(it.name);
    return kind && kind->about == "sound";
  });
  if (auto archive = archive_of(before); archive && all_stored(*archive))
    place.raw = std::move(*archive);
}

bool World::may_be_written(std::size_t place) const {
  return std::ranges::any_of(views,
                             [&](const View& it) { return it.place == place && it.writable; });
}

// Bytes that one call shows may be a cut of what lies there, which a wrong size may choose; once
// somebody may have written, what lies there is no longer known.
bool World::not_in_twisted(const Asked& asked, const Answer& answer) const {
  const View& view = view_of(asked.handle);
  const PlaceState& place = place_of(view);
  const auto* bytes = shown_as<BytesValue>(answer);
  return bytes && place.twisted && !place.raw.empty() && !may_be_written(view.place) &&
         place.raw.find(bytes->bytes) == std::string::npos &&
         !ever_given(asked.question, book, answer);
}

// The entry of a folder is no member of it: `list dir` of the folder has no name for it.
bool World::names_the_folder_itself(const Asked& asked, const Answer& answer) const {
  const auto* names = shown_as<Names>(answer);
  return names && asked.row->op == Op::kListDir && place_of(view_of(asked.handle)).names_folders &&
         std::ranges::find(names->names, "") != names->names.end();
}

std::optional<Difference> World::take_twisted(std::size_t number, const OnDisk& seen) {
  PlaceState& place = places[number];
  if (may_be_written(number) || place.others_acted || seen == *place.twisted) return {};
  const bool made = place.twisted->state == OnDisk::State::kMissing;  // an outsider deleted it
  place.twisted = seen;
  Difference wrong{.wrong = made ? Wrong::kMade : Wrong::kLost,
                   .should_be = "as it was: nobody writes there"};
  wrong.where = {.operation = kOnDisk, .place = place.name};
  wrong.seen = "another archive than before";
  wrong.first = !place.told;
  place.told = true;
  return wrong;
}

}  // namespace storefuzz::program
