// What the model keeps: places, views of them, caches, and the handles that have them. For the
// sources of this folder.
//
// A place is where content lies: a path, an object, a dictionary of a process. It has epochs, one
// for each time that something was published. A view is what one object of a process may see of its
// place: which epochs it may rest on, and its own writes that are not published. Two handles may
// have one view: a wrapper and what it wraps, or a name that was handed over.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/case/program.h"
#include "harness/model/allowed.h"
#include "harness/model/content.h"
#include "harness/model/difference.h"
#include "harness/model/model.h"
#include "harness/model/reads.h"

namespace storefuzz::program {

enum class Exists : std::uint8_t { kNo, kMaybe, kYes };

// How content gets about, read from the adapter: an archive publishes when it is closed, what is
// live at once; what is copied travels with its object; what is bound belongs to a process.
enum class StoreFamily : std::uint8_t { kLive, kArchive, kCopied, kBound };
StoreFamily family_of(const Adapter& kind);

// An array is created with so many elements of zero (reference/operations.json).
inline constexpr std::size_t kElements = 8;
using Element = std::vector<std::int64_t>;  // what it may be, the newest last
// What an attribute may be, the newest last; nullopt: nothing. Names that are not there have none.
using Attribute = std::vector<std::optional<std::string>>;
using NodeAttributes = std::map<std::string, Attribute, std::less<>>;

// A node of a hierarchy, array or group.
struct Node {
  std::string path;
  bool sure = false;  // it was created; else perhaps, with a node below it
  bool array = false;
  std::array<Element, kElements> elements;   // of an array
  std::optional<NodeAttributes> attributes;  // nullopt: nobody knows
};
struct Nodes {
  std::vector<Node> list;  // in the order in which they were created
  // Of an archive: the view that wrote what is not published, and how often that was.
  std::optional<std::size_t> writer;
  std::size_t published = 0;
  // Where metadata was consolidated → how many nodes there were.
  std::vector<std::pair<std::string, std::size_t>> consolidated;
  bool unclear = false;  // something else happened: deletes, keys that were set

  Node* at(std::string_view path);  // nullptr: none
  const Node* at(std::string_view path) const;
  // Whether nothing is there, no array lies above, and zarr takes the name for no document.
  bool can_add(std::string_view path) const;
};
inline constexpr std::size_t kNow = static_cast<std::size_t>(-1);

// What a block of an array should show.
struct Block {
  Numbers newest;
  bool several = false;  // some element may be something else
};

// What the attributes of a node should be.
struct ShownAttributes {
  NodeAttributes may_be;
  Attributes newest;
  bool several = false;  // some attribute may be something else
};

struct PlaceState {
  std::string name;
  std::optional<std::size_t> copy_of;  // the place whose content travelled here first
  bool on_disk = false;
  std::string process;                     // whose it is; "" of none: it lies on disk
  std::string dictionary;                  // of a bound one
  std::vector<Content> epochs{Content{}};  // the last is the current one
  Exists exists = Exists::kNo;
  bool torn = false;  // it may be unreadable: who truncated it ended without a close
  Reason unknown = Reason::kNone;
  std::vector<KeyId> names;         // every key that was ever there, or was to be
  std::vector<std::string> arrays;  // paths of arrays and groups that were written
  Nodes nodes;
  bool odd_written = false;       // something was written by a key that is no path
  bool told = false;              // a difference was told
  std::optional<OnDisk> twisted;  // what independent eyes saw of it before, of a twisted archive
  bool names_folders = false;     // and wrong by nothing but entries of folders
  std::string raw;                // its bytes
  bool others_acted = false;      // an outsider or another release may have written, and nobody
                                  // looked since

  const Content& now() const { return epochs.back(); }
  Content& now() { return epochs.back(); }
  std::size_t current() const { return epochs.size() - 1; }
  void publish(Content content) { epochs.push_back(std::move(content)); }
  void names_key(KeyId key);
};

// Whether a store is made with a mode and a `read_only` that say the opposite.
bool contradicts(const Make& make);

// Whether what is made may write, by its kind, its mode and `read_only`.
bool makes_writable(const Make& make);

struct View {
  std::size_t place = 0;
  StoreKind kind;  // of the innermost store
  StoreFamily family = StoreFamily::kLive;
  std::string process;
  std::string prefix;  // of a dictionary: what its keys begin with
  Mode mode = Mode::kAppend;
  bool read_only = false;  // the flag
  bool deflated = false;   // compression was given
  bool writable = true;
  bool contradictory = false;
  bool claim = false;               // mode w or x, not yet taken
  bool claims = false;              // and it counts as a writer meanwhile
  bool claimed = false;             // it was made with mode w or x
  bool before_claim = false;        // carried from a view whose x was never taken
  std::optional<std::size_t> w_of;  // carried from this view before its w was taken
  std::size_t lo = 0;               // the oldest epoch it may rest on, until it opens
  bool opened = false;
  std::vector<Candidate> candidates;  // of an open archive: what it may rest on
  Pending pending;
  bool fresh = false;          // it truncated: its base is nothing
  bool begins = false;         // open and writable, where no archive surely was: it makes one
  std::size_t seen = 0;        // the epoch when it opened
  bool fuzzy = false;          // others were writing when it opened
  bool touched = false;        // called since it was made, carried or closed
  std::size_t since = 0;       // the epoch of the first of these calls, which may have opened it
  std::size_t nodes_seen = 0;  // how often nodes had been published then
  bool carried = false;        // and not closed since: releases open an archive as it arrives
  bool torn = false;           // somebody truncated what it has open
  bool used =
      false;  // called, but not to open it, since it was made; of an archive, since it was carried
  bool told_to_open = false;   // by that call, since then
  bool told_to_close = false;  // an archive that nobody had opened, since then
  bool denied = false;         // a write that it had to refuse, since then
  bool refused = false;        // a call that an archive may have begun, whatever it left behind
  Reason broken = Reason::kNone;
  bool relative = false;
  std::string directory;  // where a relative path was made
  bool living = true;

  bool archive() const { return family == StoreFamily::kArchive; }
  // It holds what is not published, or will truncate.
  bool writes() const { return living && (!pending.empty() || fresh || begins || claims); }
  bool truncates() const { return living && (fresh || claims); }
};

// What a cache may still show: all that its source could have shown when it was asked, until it
// writes the key itself.
struct Cache {
  std::vector<Values> ever;
  std::optional<std::size_t> beside;  // the place beside which it lies, for others made there
};

// Who opened the connections that a process has: a loop that does not serve them any more, or one
// that others use as well.
enum class Opener : std::uint8_t { kHand, kSync, kInherited };
struct Connection {
  std::string process;
  Opener opener = Opener::kHand;
};

struct HandleState {
  std::string process, name;
  StoreKind kind;
  Subject subject = Subject::kStore;
  std::string prefix;
  std::size_t view = 0;
  std::optional<std::size_t> cache;
  std::size_t nodes_from = kNow;  // of a group: how many nodes its oldest metadata may know
  // Of a node: the attributes as it knows them, which zarr keeps in the object; nullopt: nobody
  // knows.
  std::optional<NodeAttributes> attributes;
  bool inherited = false;
  bool crossed = false;  // it came from a process of another release
  bool living = true;
  Reason unknown = Reason::kNone;
};

// One answer's question: who is asked what.
struct Asked {
  const Call* call = nullptr;
  const Operation* row = nullptr;
  OnHandle on_handle = OnHandle::kNone;  // what the row says, where anything is done
  std::size_t handle = 0;
  Question question;
  bool odd = false;  // the key is no path

  // Below which a call of several keys has them.
  const std::string& folder() const;
};

// What an answer may rest on.
struct Opinion {
  RefusalIs refusal = RefusalIs::kNotAllowed;
  Reason reason = Reason::kNone;   // of the refusal
  Reason unknown = Reason::kNone;  // why nothing is known of what is shown
  bool question = false;
  std::vector<Candidate> candidates;  // without what is pending

  void allow(Reason why) {
    if (refusal != RefusalIs::kNotAllowed) return;
    refusal = RefusalIs::kAllowed;
    reason = why;
  }
  void due(Reason why) {
    refusal = RefusalIs::kDue;
    reason = why;
  }
  void give_up(Reason why) {
    allow(why);
    if (unknown == Reason::kNone) unknown = why;
  }
};

struct Model::World {
  Book book;
  std::vector<PlaceState> places;
  std::vector<View> views;
  std::vector<Cache> caches;
  std::vector<HandleState> handles;
  std::vector<std::pair<std::string, std::string>> directories;  // process → where it is; "" home
  std::vector<std::string> ended;
  std::vector<std::string> others;  // processes whose zarr is another release
  std::vector<Connection> connections;
  std::size_t effects = 0;

  // --- names (world.cc)
  std::string node_path(const Asked& asked) const;  // of the node that a call is about
  std::optional<std::size_t> find_handle(std::string_view name, std::string_view in) const;
  std::optional<std::size_t> handle_of(const Step& step, std::size_t handle) const;
  std::optional<Asked> asked(const Step& step, std::size_t handle) const;
  std::size_t place_on_disk(std::string_view name);
  std::size_t new_place(std::string name, std::string process);
  std::string directory_of(std::string_view process) const;
  bool gone(std::string_view process) const;
  View& view_of(std::size_t handle) { return views[handles[handle].view]; }
  const View& view_of(std::size_t handle) const { return views[handles[handle].view]; }
  PlaceState& place_of(const View& view) { return places[view.place]; }
  const PlaceState& place_of(const View& view) const { return places[view.place]; }
  bool elsewhere(const View& view) const;
  bool connected_otherwise(const Asked& asked) const;
  static Opener opener_of(const Asked& asked);
  bool is_folder(const PlaceState& place, std::string_view key) const;
  bool below_a_key(const PlaceState& place, std::string_view key) const;
  bool odd_names(const PlaceState& place) const;
  bool hidden(const PlaceState& place, std::string_view key) const;  // below an array

  // --- what an answer may rest on (opinion.cc)
  bool others_write(std::size_t place, const View* view) const;
  bool anybody_truncates(std::size_t place) const;
  bool stale(const View& view) const;
  Content publishes(const View& view) const;
  Content meanwhile(std::size_t place) const;
  Opinion rests(const View& view) const;
  bool may_claim(const View& view) const;
  Opinion opinion(const Asked& asked) const;
  bool lacks_in_sync(const Asked& asked) const;
  Opinion opinion_of_make(const Make& make) const;
  Opinion opinion_of_carry(const Carry& carry, std::size_t from) const;
  Content shown_by(const Asked& asked, const Candidate& candidate) const;
  bool changes_nothing(const Asked& asked, const Content& content) const;
  std::optional<bool> flag_of(const Asked& asked) const;  // of read only and equal
  Allowed render(const Asked& asked, const Opinion& opinion) const;

  // --- effects (effects.cc)
  void touch(View& view);
  void open(View& view, std::vector<Candidate> fitting);
  void acknowledge(const Asked& asked);
  void attempt(const Asked& asked, bool denied = false);
  void connect(std::size_t handle, Opener opener);
  void perhaps(const Asked& asked);
  void bind(const Asked& asked);
  void open_file(const Make& step, std::size_t place);
  void make(const Make& step);
  void make_place(const View& view);
  void carry(const Carry& step, std::size_t from);
  void opened_for_a_node(const Carry& step, std::size_t from);
  void fork(const Fork& step);
  void deed(const Deed& step);
  void close(View& view, bool acknowledged);
  void perhaps_published(View& view);
  void drop(std::size_t handle);
  void end_process(std::string_view process);
  void remember(const Asked& asked, const std::vector<Content>& shown);

  // --- judging (judging.cc; `take` in model.cc)
  std::optional<Difference> take(const Step& step, std::size_t handle, const Answer& answer,
                                 std::size_t index);
  std::optional<Difference> take_call(const Asked& asked, const Answer& answer);
  std::optional<Difference> take_refusal(const Asked& asked, const Opinion& opinion,
                                         const Answer& answer);
  std::optional<Difference> take_shown(const Asked& asked, const Opinion& opinion,
                                       const Answer& answer);
  std::optional<Difference> take_read(const Asked& asked, const Opinion& opinion,
                                      const Answer& answer);
  std::optional<Difference> take_arrival(const Step& step, const Answer& answer);
  std::optional<Difference> take_ending(std::string_view process, const Answer& answer);
  void adopt(const Asked& asked, const Answer& answer);
  Difference differ(Wrong wrong, const Asked& asked, std::string should_be, const Answer& was);
  Answer sound_answer(const Step& step, std::size_t handle) const;

  // --- arrays (arrays.cc)
  bool sees_nodes(std::size_t view) const;
  void publish_nodes(const View& view, bool surely);
  bool knows_handle(const Asked& asked) const;
  bool knows_nodes(const Asked& asked) const;
  const Node* judged_node(const Asked& asked) const;  // nullptr: nobody knows
  bool judges_create(const Asked& asked) const;
  bool writes_zeros(const Asked& asked) const;
  // Whether there is an opinion of a call about a node.
  bool judges_nodes(const Asked& asked) const;
  std::optional<Block> block_of(const Asked& asked) const;  // nullopt: nobody knows
  void write_block(const Asked& asked, bool done);
  std::optional<Difference> take_block(const Asked& asked, const Answer& answer);

  // --- attributes of arrays and groups (node_attributes.cc)
  std::optional<ShownAttributes> attributes_of(const Asked& asked) const;  // nullopt: nobody knows
  void set_attribute(const Asked& asked, bool done);
  std::optional<Difference> take_attributes(const Asked& asked, const Answer& answer);

  // --- members of groups (nodes.cc)
  void note_nodes(const Asked& asked, bool done);
  std::size_t nodes_at_opening(const PlaceState& place, std::string_view path) const;
  std::optional<Difference> take_members(const Asked& asked, const Answer& answer);

  // --- the disk (disk.cc)
  std::optional<Difference> take_disk(std::size_t place, const OnDisk& seen);
  bool is_archive(std::size_t place) const;
  void publish_as_seen(PlaceState& place, const OnDisk& seen);

  // --- archives that are wrong on purpose (twisted.cc)
  void twist(PlaceState& place, const Place& before);
  bool may_be_written(std::size_t place) const;
  // Whether a shown value of such a place came from nowhere.
  bool not_in_twisted(const Asked& asked, const Answer& answer) const;
  bool names_the_folder_itself(const Asked& asked, const Answer& answer) const;
  std::optional<Difference> take_twisted(std::size_t place, const OnDisk& seen);

  // --- other releases (releases.cc)
  bool is_other(std::string_view process) const;
  // Whether nothing is told of a step, whatever is answered, or of this answer.
  bool own_affair(const Step& step, std::size_t handle, const Answer* answer = nullptr) const;
  void note_others_deed();
  void adopt_disk(std::size_t place, const OnDisk& seen);
  void note_common_writing(std::size_t place);
};

}  // namespace storefuzz::program
