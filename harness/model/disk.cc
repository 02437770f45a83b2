// What independent eyes may see at a place on disk: after a step, and at a moment within a call.
#include <fmt/format.h>

#include <algorithm>

#include "harness/case/keys.h"
#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

namespace {

// What is wrong with a content that was read, key by key; `seen` takes what it teaches.
struct Wrongness {
  Wrong wrong = Wrong::kLost;
  std::string key, should_be, seen;
};

std::string say_values(const Book& book, KeyId key, Values values) {
  std::string text;
  for_each_bit(values, [&](Values bit) {
    const Answer it =
        bit == kGone ? Answer{Shown{None{}}} : Answer{Shown{BytesValue{book.bytes(key, bit)}}};
    text += (text.empty() ? "" : " or ") + say(it);
  });
  return text;
}

std::optional<Wrongness> read_against(const World& world, const PlaceState& place,
                                      const Content& allowed,
                                      const std::map<std::string, Bytes>& seen, Content& narrowed) {
  std::optional<Wrongness> wrong;
  const auto tell = [&](Wrong what, const std::string& key, std::string should, std::string is) {
    if (!wrong || what < wrong->wrong) wrong = {what, key, std::move(should), std::move(is)};
  };
  const Book& book = world.book;
  for (KeyId key = 0; key < allowed.size(); ++key) {
    const std::string& name = book.name(key);
    if (allowed[key] == kGone || world.hidden(place, name)) continue;
    const auto found = seen.find(name);
    Values now = found == seen.end() ? kGone : 0;
    if (found != seen.end())
      for_each_bit(allowed[key] & kEvery, [&](Values bit) {
        if (book.bytes(key, bit) == found->second) now = bit;
      });
    if (now & allowed[key])
      narrowed.put(key, now);
    else
      tell(Wrong::kLost, name, say_values(book, key, allowed[key]),
           say(found == seen.end() ? Answer{Shown{None{}}}
                                   : Answer{Shown{BytesValue{found->second}}}));
  }
  for (const auto& [name, bytes] : seen) {
    const auto key = book.find(name);
    if ((!key || allowed[*key] == kGone) && !world.hidden(place, name))
      tell(Wrong::kMade, name, "nothing", say(Shown{BytesValue{bytes}}));
  }
  return wrong;
}

bool all_may_be_gone(const World& world, const PlaceState& place, const Content& content) {
  for (KeyId key = 0; key < content.size(); ++key)
    if (!(content[key] & kGone) && !world.hidden(place, world.book.name(key))) return false;
  return true;
}

bool broken_writer(const World& world, std::size_t place) {
  return std::ranges::any_of(world.views, [&](const View& it) {
    return it.place == place && it.writes() && it.broken != Reason::kNone;
  });
}

Content as_seen(Book& book, const OnDisk& seen) {
  Content content;
  for (const auto& [name, bytes] : seen.content) {
    const KeyId key = book.key(name);
    content.put(key, book.value(key, bytes));
  }
  return content;
}

Difference differ_on_disk(const PlaceState& place, Wrongness it) {
  Difference wrong{.wrong = it.wrong, .should_be = std::move(it.should_be)};
  wrong.where = {.operation = kOnDisk, .key = std::move(it.key), .place = place.name};
  wrong.seen = std::move(it.seen);
  wrong.first = !place.told;
  return wrong;
}

}  // namespace

bool World::is_archive(std::size_t place) const {
  return std::ranges::any_of(views,
                             [&](const View& it) { return it.place == place && it.archive(); });
}

std::optional<Difference> World::take_disk(std::size_t number, const OnDisk& seen) {
  PlaceState& place = places[number];
  if (place.twisted) return take_twisted(number, seen);
  if (place.unknown != Reason::kNone || broken_writer(*this, number)) return {};
  const bool archive = is_archive(number);
  if (place.odd_written) return {};
  const bool written = others_write(number, nullptr);
  const Content allowed = written ? meanwhile(number) : place.now();
  std::optional<Wrongness> wrong;
  Content narrowed = place.now();
  switch (seen.state) {
    case OnDisk::State::kMissing:
      if (!all_may_be_gone(*this, place, allowed) || (!written && place.exists == Exists::kYes))
        wrong = {Wrong::kLost, "", kThere, "missing"};
      break;
    case OnDisk::State::kUnreadable:
      if (!written && !place.torn && place.exists != Exists::kMaybe)
        wrong = {place.exists == Exists::kNo ? Wrong::kMade : Wrong::kUnreadable, "", kReadable,
                 "unreadable"};
      break;
    case OnDisk::State::kContent:
      if (!written && place.exists == Exists::kNo)
        wrong = {Wrong::kMade, "", "nothing", "something is there"};
      else
        wrong = read_against(*this, place, allowed, seen.content, narrowed);
  }
  if (!written && !wrong && seen.state == OnDisk::State::kContent) {
    place.now() = std::move(narrowed);
    place.exists = Exists::kYes;
    place.torn = false;
  }
  if (!written && !wrong && seen.state == OnDisk::State::kMissing) {
    place.exists = Exists::kNo;
    place.torn = false;
    place.now() = Content{};
  }
  if (place.others_acted) {
    // While somebody writes, what is seen is not yet what will be there.
    if (written)
      note_common_writing(number);
    else if (wrong)
      adopt_disk(number, seen);
    place.others_acted = written;
    return {};
  }
  if (!wrong) return {};
  Difference told = differ_on_disk(place, std::move(*wrong));
  place.told = true;
  publish_as_seen(place, seen);
  return told;
}

void World::publish_as_seen(PlaceState& place, const OnDisk& seen) {
  place.publish(as_seen(book, seen));
  place.exists = seen.state == OnDisk::State::kMissing      ? Exists::kNo
                 : seen.state == OnDisk::State::kUnreadable ? Exists::kMaybe
                                                            : Exists::kYes;
  place.torn = seen.state == OnDisk::State::kUnreadable;
}

namespace {

// A fresh handle on a crash state sees what is there, or refuses where nothing readable is.
std::optional<Wrongness> fresh_handle(const CrashState& state) {
  const bool readable = state.disk.state == OnDisk::State::kContent;
  if (!readable) return {};
  if (const Refusal* it = refused(state.made))
    return Wrongness{Wrong::kUnreadable, "", "a store", it->type};
  if (const Refusal* it = refused(state.listed))
    return Wrongness{Wrong::kUnreadable, "", "a listing", it->type};
  for (const auto& [key, answer] : state.read) {
    const auto found = state.disk.content.find(key);
    // A key that lies below another one, or that no store takes, is refused in any state; to some
    // stores "/a" is another name for "a". Whoever asks for them is told so.
    const bool there = found != state.disk.content.end();
    if (!there && (refused(answer) || !plain_key(key))) continue;
    const Answer right = there ? Answer{Shown{BytesValue{found->second}}} : Answer{Shown{None{}}};
    if (!std::holds_alternative<Absent>(answer) && !same_answer(right, answer))
      return Wrongness{Wrong::kLost, key, say(right), say(answer)};
  }
  return {};
}

}  // namespace

// Within the call each key is as before or as after; what was published stays. An archive may be
// torn only while somebody truncates it: appending loses nothing.
std::vector<Difference> Model::judge_crash(const Model& before, const Step& step,
                                           std::size_t handle,
                                           const std::vector<CrashState>& states,
                                           std::size_t index) const {
  std::vector<Difference> found;
  const World& world = *world_;
  const auto asked = before.world_->asked(step, handle);
  if (!asked || states.empty()) return found;
  const std::size_t number = before.world_->view_of(asked->handle).place;
  const PlaceState& place = world.places[number];
  const PlaceState& old = before.world_->places[number];
  const bool broken = broken_writer(world, number) || broken_writer(*before.world_, number);
  if (!place.on_disk || place.unknown != Reason::kNone || place.odd_written || broken) return found;
  if (place.others_acted || old.others_acted) return found;
  const bool torn = world.anybody_truncates(number) || old.torn || place.torn ||
                    before.world_->anybody_truncates(number);
  const Content allowed = united(united(before.world_->meanwhile(number), old.now()),
                                 united(world.meanwhile(number), place.now()));
  const bool there = old.exists == Exists::kYes && place.exists == Exists::kYes && !torn;
  for (const CrashState& state : states) {
    std::optional<Wrongness> wrong;
    Content narrowed = allowed;
    if (state.disk.state == OnDisk::State::kContent)
      wrong = read_against(world, place, allowed, state.disk.content, narrowed);
    else if (state.disk.state == OnDisk::State::kUnreadable && there)
      wrong = {Wrong::kUnreadable, "", kReadable, "unreadable"};
    else if (state.disk.state == OnDisk::State::kMissing && there &&
             !all_may_be_gone(world, place, allowed))
      wrong = {Wrong::kLost, "", kThere, "missing"};
    if (!wrong) wrong = fresh_handle(state);
    if (!wrong) continue;
    Difference told = differ_on_disk(place, std::move(*wrong));
    told.where.operation = std::string(asked->row->word);
    told.where.handle = world.handles[asked->handle].name;
    told.where.process = world.handles[asked->handle].process;
    told.where.step = index;
    told.within = true;
    found.push_back(std::move(told));
    break;
  }
  return found;
}

}  // namespace storefuzz::program
