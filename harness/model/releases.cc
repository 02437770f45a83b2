// Processes whose zarr is another release than the one under test.
//
// A carry between releases has the promise of every carry: the same content, or a refusal. What
// another release does with its own handles is its own affair: its rules may be others than ours,
// and its defects are no defects of the subject. The model follows what it answers, and what it
// leaves on the disk, but tells nothing of it.
#include <algorithm>

#include "harness/model/world.h"

namespace storefuzz::program {

using World = Model::World;

bool World::is_other(std::string_view process) const {
  return std::ranges::find(others, process) != others.end();
}

// Bytes of a key are the same in every release: what a handle shows of them that came over from the
// subject under test is what the carry promised. What it refuses, how it lists and what it writes
// is the receiver's affair.
bool World::own_affair(const Step& step, std::size_t handle, const Answer* answer) const {
  if (others.empty()) return false;
  if (const auto asked = this->asked(step, handle)) {
    const HandleState& who = handles[asked->handle];
    if (!is_other(who.process)) return false;
    return !who.crossed || asked->row->family != Family::kRead || (answer && !shown(*answer));
  }
  if (const auto* carry = std::get_if<Carry>(&step)) {
    const auto from = handle_of(step, 0);
    if (!from || !is_other(carry->to)) return false;
    return is_other(handles[*from].process) || (answer && !shown(*answer));
  }
  if (const auto* make = std::get_if<Make>(&step)) {
    const auto around = handle_of(step, 0);
    return is_other(around ? handles[*around].process : make->in);
  }
  if (const auto* fork = std::get_if<Fork>(&step)) return is_other(fork->in);
  const auto* deed = std::get_if<Deed>(&step);
  return deed && is_other(deed->in);
}

// The next look at the disk says what became of the places where another release may have written.
void World::note_others_deed() {
  for (const View& it : views)
    if (it.writable && is_other(it.process)) places[it.place].others_acted = true;
}

// What both write into one archive at the same time is nobody's alone.
void World::note_common_writing(std::size_t number) {
  const bool ours = std::ranges::any_of(views, [&](const View& it) {
    return it.place == number && it.writes() && !is_other(it.process);
  });
  if (ours) places[number].unknown = Reason::kOtherRelease;
}

// What another release left there is there, and who has the archive open rests on what was.
void World::adopt_disk(std::size_t number, const OnDisk& seen) {
  for (View& it : views)
    if (it.place == number && it.opened) it.broken = Reason::kOtherRelease;
  publish_as_seen(places[number], seen);
  // Of an archive that was not written as it should be, readers see different things.
  if (is_archive(number)) places[number].unknown = Reason::kOtherRelease;
}

}  // namespace storefuzz::program
