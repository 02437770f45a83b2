// The script is built from the same vocabulary lines that side.py ran. Its shape depends on what
// went wrong: a wrong answer, an archive that changed, a side that hung or died.
#include "harness/findings/repro.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "harness/base/python_lines.h"
#include "harness/base/python_text.h"
#include "harness/base/text.h"
#include "harness/case/construct.h"
#include "harness/journey/expectation.h"
#include "harness/journey/oracle.h"
#include "harness/process/stacks.h"
#include "harness/zip/classes.h"

namespace storefuzz {
namespace {

constexpr std::size_t kWidth = 120;  // of a line
constexpr std::string_view kWarmComment = "  # zarr's event loop runs: a warm parent";

std::string entry_literal(const Entry& entry) {
  const std::string plain = bytes_literal(entry.value);
  return entry.repeat == 1 ? plain : fmt::format("{} * {}", plain, entry.repeat);
}

// A long name of one letter is written as Python would be written by hand.
std::string key_literal(const std::string& key) {
  const bool letters = key.size() > 40 && key.find_first_not_of(key[0]) == key.npos;
  return letters ? fmt::format("{} * {}", text_literal(key.substr(0, 1)), key.size())
                 : text_literal(key);
}

std::string compressed(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), Z_BEST_COMPRESSION);
  out.resize(size);
  return out;
}

// What the lines of vocabulary.json are for one store.
struct Vocabulary {
  Json words;  // of its interface
  Json usual;  // of every store
  Json carriers;
};

class Writer {
 public:
  Writer(const Case& value, const Finding& finding, const Json& observations,
         const ReproOptions& options, const Vocabulary& vocabulary)
      : value_(value),
        told_(finding.told),
        options_(options),
        vocabulary_(vocabulary),
        words_(vocabulary.words) {
    // A parent that died or hung tells nothing: then what it did is taken to have gone well.
    if (observations.is_object())
      meanwhile_ = answer_from_json(observations.value("meanwhile", Json::object()));
    if (observations.is_object())
      for (const Json& answer : observations.value("operations", Json::array()))
        operation_answers_.push_back(answer_from_json(answer));
    else
      operation_answers_.assign(operations_of(value).size(), Shown{});
    expected_ = expect(value, operation_answers_);
    plan_ = make_plan(value, expected_);
  }

  std::string write() {
    write_body();
    return header() + body_;
  }

 private:
  // --- pieces

  void line(std::string_view text) { body_ += fmt::format("    {}\n", text); }

  // A vocabulary line with its arguments, its coroutines run as this case runs them.
  std::string phrase(const char* table, const std::string& name, const Entry& entry,
                     std::int64_t start, std::int64_t end, bool by_loop) {
    return fill(words_[table].value(name, "None"), {{"{key}", key_literal(entry.key)},
                                                    {"{value}", entry_literal(entry)},
                                                    {"{start}", std::to_string(start)},
                                                    {"{end}", std::to_string(end)},
                                                    {"buffer(", "cpu.Buffer.from_bytes("},
                                                    {"prototype=", "prototype="},  // by its name
                                                    {"prototype", "default_buffer_prototype()"},
                                                    {"run(", by_loop ? "sync(" : "asyncio.run("}});
  }

  std::string look_phrase(const Look& look) {
    std::string text = phrase("looks", look.name, look.entry, look.start, look.end,
                              value_.driver == Driver::kLoop);
    const bool names = look.group == LookGroup::kListing && text.find("collect(") != text.npos;
    return names ? "sorted(" + text + ")" : text;
  }

  // The look that told, where there is one: a finding that was read from a file may name any.
  const Look* told_look() const {
    const bool known = told_.look >= 0 && told_.look < static_cast<int>(plan_.size());
    return known ? &plan_[told_.look] : nullptr;
  }

  bool told_by(LookGroup group) const { return told_look() && told_look()->group == group; }

  // What the script asks of a store to see the difference; of long bytes, their checksum.
  std::string question() {
    if (const Look* look = told_look()) {
      const std::string text = look_phrase(*look);
      return checksum() ? fmt::format("zlib.crc32({})", text) : text;
    }
    if (told_.oracle == "equality") return "store == OTHER";
    if (told_.step == "close") return "store.close()";
    if (told_.step == "sending back") return "pickle.dumps(store)";
    return "store." + (told_.lost.empty() ? told_.field : told_.lost);
  }

  std::string constructor() const { return constructor_text(value_); }

  void make_archive_lines() {
    if (!value_.archive) return;
    if (value_.store->medium == Medium::kFolder) {
      std::vector<std::string> files;
      for (const Entry& entry : value_.archive->entries)
        files.push_back(
            fmt::format("{}: {}", text_literal("store/" + entry.key), entry_literal(entry)));
      if (files.empty()) return line("os.mkdir(\"store\")");
      line(fmt::format("for path, content in {{{}}}.items():", fmt::join(files, ", ")));
      line("    os.makedirs(os.path.dirname(path), exist_ok=True)");
      return line("    pathlib.Path(path).write_bytes(content)");
    }
    if (wrong_on_purpose(value_)) return wrong_archive_lines();
    const bool deflated = value_.archive->compression == Compression::kDeflated;
    line(fmt::format("with zipfile.ZipFile(\"store.zip\", \"w\"{}) as archive:",
                     deflated ? ", zipfile.ZIP_DEFLATED" : ""));
    for (const Entry& entry : value_.archive->entries)
      if (!entry.key.empty())
        line(fmt::format("    archive.writestr({}, {})", text_literal(entry.key),
                         entry_literal(entry)));
    if (value_.archive->entries.empty()) line("    pass  # an archive without entries");
  }

  // The bytes themselves: no library makes such an archive.
  void wrong_archive_lines() {
    const auto bytes = bytes_of(*value_.archive);
    if (!bytes) return line("pass");
    const Classified kind = classify(*bytes);
    line(fmt::format("# {} bytes; {}: {} (APPNOTE {})", bytes->size(), kind.name, kind.why,
                     section_of(kind.name)));
    line(fmt::format(
        "pathlib.Path(\"store.zip\").write_bytes(zlib.decompress(base64.b64decode({})))",
        text_literal(base64(compressed(*bytes)))));
  }

  void operation_lines() {
    const std::vector<Operation> operations = operations_of(value_);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& operation = operations[i];
      const std::string text =
          phrase("operations", std::string(name_of(operation.what)), operation.entry,
                 operation.start, operation.end, value_.parent == Warmth::kWarm);
      const bool here = told_.operation == static_cast<int>(i);
      const bool smooth = i < operation_answers_.size() && shown(operation_answers_[i]);
      line(here     ? fmt::format("away = answer(lambda: {})", text)
           : smooth ? text
                    : fmt::format("answer(lambda: {})", text));
      if (here) return;
    }
  }

  bool zarr_2() const { return options_.release.starts_with("2."); }

  bool pickled() const { return serialises(value_.carrier); }

  std::string cargo_word(const char* which) const {
    // A case that an interface cannot carry never left: its script carries the store alone.
    const Json& all = words_["cargo"];
    const auto found = all.find(std::string(name_of(value_.cargo)));
    return found == all.end() ? all["store"].value(which, "") : found->value(which, "");
  }

  std::string carrier_word(const char* which) const {
    const auto found = vocabulary_.carriers.find(std::string(name_of(value_.carrier)));
    if (found == vocabulary_.carriers.end()) return "None";  // inherited, made anew
    return fill(found->value(which, "None"), {{", protocol=5", ""}});
  }

  std::string pack(const std::string& cargo) const {
    return fill(carrier_word("pack"), {{"{cargo}", cargo}});
  }

  std::string unpack(const std::string& packed) const {
    return fill(carrier_word("receive"), {{"{packed}", packed}});
  }

  // The store, or what holds it, as bytes.
  std::string dumps() const {
    const std::string once = pack(cargo_word("put"));
    return value_.twice ? pack(unpack(once)) : once;
  }

  // What `packed` holds, as a store again.
  std::string received(const std::string& packed) const {
    return fill(cargo_word("take"), {{"{cargo}", unpack(packed)}});
  }

  // The carried store, in this process.
  std::string carried() const {
    if (value_.carrier == Carrier::kMadeAnew) return constructor();
    return value_.carrier == Carrier::kInherited ? "store" : received(dumps());
  }

  // The store put into its carrier, as it leaves this process or stays in it; what the parent does
  // meanwhile comes in between.
  std::string packed() {
    const std::string whole = pickled() ? dumps() : carried();
    if (value_.meanwhile == Meanwhile::kIdle) return whole;
    line("packed = " + whole);
    meanwhile_line();
    return "packed";
  }

  void meanwhile_line() {
    if (value_.meanwhile == Meanwhile::kForgetsTheStore) line("store = None");
    const std::string doing =
        fill(words_["meanwhile"].value(std::string(name_of(value_.meanwhile)), "None"),
             {{"{place}", place_text(value_)},
              {"buffer(", "cpu.Buffer.from_bytes("},
              {"run(", value_.parent == Warmth::kWarm ? "sync(" : "asyncio.run("}});
    line(refused(meanwhile_) ? fmt::format("answer(lambda: {})", doing) : doing);
  }

  // A real pool packs what it is given by itself.
  std::string visited_in_pool(const std::string& outcome) {
    const std::string cargo = cargo_word("put");
    switch (value_.pool) {
      case Pool::kThreadPoolExecutor:
        line("with ThreadPoolExecutor(1) as pool:");
        break;
      case Pool::kMultiprocessingPool:
        line(fmt::format("with get_context(\"{}\").Pool(1) as pool:", name_of(value_.transport)));
        return fmt::format("    away = pool.apply(visit, ({},))", cargo);
      case Pool::kDask:
        line("with LocalCluster(n_workers=1, dashboard_address=None) as its, Client(its) as pool:");
        return fmt::format("    away = pool.submit(visit, {}, pure=False).{}()", cargo, outcome);
      case Pool::kProcessPoolExecutor:
      case Pool::kNone:
        line(fmt::format("with ProcessPoolExecutor(1, mp_context=get_context(\"{}\")) as pool:",
                         name_of(value_.transport)));
    }
    return fmt::format("    away = pool.submit(visit, {}).{}()", cargo, outcome);
  }

  // An expression for `visit` called where the case says, with the store where it is carried.
  std::string visited(const std::string& outcome) {
    if (value_.pool != Pool::kNone) return visited_in_pool(outcome);
    const bool travels = value_.carrier != Carrier::kMadeAnew;
    const bool here = in_this_process(value_.transport);
    const std::string argument = travels && (here || pickled()) ? packed() : "None";
    if (argument == "None" && value_.meanwhile != Meanwhile::kIdle) meanwhile_line();
    if (value_.carrier == Carrier::kInherited) line("visit.store = store  # what a fork inherits");
    switch (value_.transport) {
      case Transport::kSameProcess:
        return fmt::format("visit({})", argument);
      case Transport::kThread:
        line("with ThreadPoolExecutor(1) as pool:");
        return fmt::format("    away = pool.submit(visit, {}).{}()", argument, outcome);
      case Transport::kSpawn:
      case Transport::kForkserver:
      case Transport::kFork:
        line(fmt::format("with ProcessPoolExecutor(1, mp_context=get_context(\"{}\")) as pool:",
                         name_of(value_.transport)));
        return fmt::format("    away = pool.submit(visit, {}).{}()", argument, outcome);
    }
    std::abort();
  }

  // def visit(store): what happens on the far side; its result is what the script judges.
  // The first `before` of the steps come before the store is received.
  void define_visit(std::vector<std::string> steps, std::size_t before = 0) {
    if (options_.compact) fold(steps, before);
    visit_ += "def visit(store):\n";
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (i == before) visit_ += receiving();
      visit_ += fmt::format("    {}\n", steps[i]);
    }
    if (steps.size() <= before) visit_ += receiving();
    visit_ += "\n";
  }

  // How `visit` comes to its store, and what is different around it.
  std::string receiving() const {
    std::string text;
    if (value_.surroundings != Surroundings::kSame)
      text = fmt::format("    {}\n", words_["surroundings"].value(
                                         std::string(name_of(value_.surroundings)), "None"));
    if (value_.pool != Pool::kNone) {
      const std::string taken = fill(cargo_word("take"), {{"{cargo}", "store"}});
      return taken == "store" ? text : text + fmt::format("    store = {}\n", taken);
    }
    if (pickled()) text += fmt::format("    store = {}\n", received("store"));
    if (value_.carrier == Carrier::kMadeAnew)
      text += fmt::format("    store = {}\n", constructor());
    if (value_.carrier == Carrier::kInherited) text += "    store = visit.store\n";
    return text;
  }

  // Many steps as one loop over them: the last stays what it is when it is what `visit` returns.
  static void fold(std::vector<std::string>& steps, std::size_t before) {
    constexpr std::string_view kAnswer = "answer(";
    const bool returns = !steps.empty() && steps.back().starts_with("return ");
    const auto begin = steps.begin() + static_cast<std::ptrdiff_t>(before);
    const auto end = steps.end() - (returns ? 1 : 0);
    if (end - begin < 3) return;
    std::vector<std::string> calls;
    for (auto step = begin; step != end; ++step)
      calls.push_back(step->starts_with(kAnswer)
                          ? step->substr(kAnswer.size(), step->size() - kAnswer.size() - 1)
                          : "lambda: " + *step);
    constexpr std::string_view kStep = "        with contextlib.suppress(Exception): step()";
    steps.insert(steps.erase(begin, end),
                 fmt::format("for step in ({}):\n{}", fmt::join(calls, ", "), kStep));
  }

  void call_visit(const std::string& outcome = "result") {
    const std::string call = visited(outcome);
    line(call.starts_with("    ") ? call : "away = " + call);
  }

  std::optional<Json> checksum() const {
    const Shown* answer = shown(told_.child);
    if (!answer || !answer->value.is_object() || !answer->value.contains("crc32"))
      return std::nullopt;
    return answer->value["crc32"];
  }

  // Paths, types and other objects are shown by stand-ins that no script can write down.
  static bool has_literal(const Json& value) {
    if (value.is_object()) return value.contains("bytes");
    return !value.is_array() || std::ranges::all_of(value, has_literal);
  }

  // What `away` is when the subject is wrong. An answer that has no literal (a path, an object) is
  // wrong when it is not the one of `home`.
  std::string wrong_condition() const {
    if (const Refused* refusal = refused(told_.child))
      return refusal->lost.empty() ? fmt::format("away.startswith(\"{}\")", refusal->type)
                                   : fmt::format("away.startswith(\"{}\") and \"'{}'\" in away",
                                                 refusal->type, refusal->lost);
    if (const auto sum = checksum()) return fmt::format("away == repr({})", sum->dump());
    const Shown* answer = shown(told_.child);
    if (!answer || !has_literal(answer->value)) return "away != home";
    Json value = answer->value;
    if (told_by(LookGroup::kListing) && value.is_array()) std::sort(value.begin(), value.end());
    return fmt::format("away == repr({})", value_literal(value));
  }

  // To be called before anything can have gone wrong.
  void ask_at_home(const std::string& ask) {
    if (wrong_condition() == "away != home") line(fmt::format("home = answer(lambda: {})", ask));
  }

  void finish(const std::string& condition) {
    line(fmt::format("wrong = bool({})", condition));
    line(
        fmt::format("print({} if wrong else \"gone\")", text_literal("DEFECT: " + told_.headline)));
    line("return int(wrong)");
  }

  // --- shapes

  void write_body() {
    body_ = "def main():\n";
    line("os.chdir(tempfile.mkdtemp())");
    const bool crash = std::holds_alternative<Crashed>(told_.child) && told_.side == "parent";
    if (crash) live_on();
    if (told_.oracle == "deadline" && !hangs_in_child()) set_alarm();
    if (value_.parent == Warmth::kWarm && !zarr_2())
      line(fmt::format("sync(asyncio.sleep(0)){}", kWarmComment));
    if (!value_.store->before.empty())
      line(value_.store->before + "  # its own threads run, as after any use");
    make_archive_lines();
    line(fmt::format("store = {}", constructor()));
    operation_lines();
    if (told_.operation >= 0) return finish(wrong_condition());
    if (options_.used_before) use_lines();
    if (told_.oracle == "deadline") return hang();
    if (told_.oracle == "on disk") return disk();
    if (crash) return journey_of_its_own();
    if (told_.oracle == "survival") return survival();
    if (told_.oracle == "parent intact") return parent_after_packing();
    if (told_.step == "packing" || told_.step == "receiving") return carrying_refused();
    if (told_.oracle == "stores agree") return twin_answer();
    if (told_.oracle == "readers agree" && told_.field == "what it wrote") return written();
    if (told_.step == "two references") return two_references();
    if (told_.side == "parent") return parent_answer();
    child_answer();
  }

  // A module may start something at the first use of its stores (a thread, a connection), which a
  // fork does not take along. So such a store arrives in this process first, and is asked.
  void use_lines() {
    line(fmt::format("used = {}  # this process has used such a store before", carried()));
    const Look* stuck = hanging_look();
    std::vector<std::string> steps;
    for (const Look& look : stuck ? std::vector{*stuck} : without_writes(plan_))
      if (look.name != "close")
        steps.push_back(
            fmt::format("answer(lambda: {})", renamed(look_phrase(look), "store", "used")));
    if (options_.compact) fold(steps, 0);
    for (const std::string& step : steps) line(step);
  }

  void parent_after_packing() {
    const bool gone = told_.look < 0 && (refused(told_.child) || told_.wrong == "lost");
    if (gone)
      line("before = sorted(vars(store))");
    else
      ask_at_home(question());
    line(pickled() ? dumps() : carried());
    if (!gone) {
      line(fmt::format("away = answer(lambda: {})", question()));
      return finish(wrong_condition());
    }
    line("print(\"lost:\", lost := sorted(set(before) - set(vars(store))))");
    finish(fmt::format("{} in lost", text_literal(told_.field)));
  }

  void two_references() {
    const std::string both = unpack(dumps());
    line(fmt::format("both = {}", both));
    line(fmt::format("away = answer(lambda: {})", fill(cargo_word("same"), {{"{cargo}", "both"}})));
    finish(wrong_condition());
  }

  // A MemoryStore with the same content, asked the same.
  void twin_answer() {
    std::vector<std::string> entries;
    for (const auto& [key, bytes] : expected_.content)
      entries.push_back(
          fmt::format("{}: cpu.Buffer.from_bytes({})", text_literal(key), bytes_text(bytes)));
    line(fmt::format("twin = zarr.storage.MemoryStore({{{}}}{})", fmt::join(entries, ", "),
                     expected_.read_only ? ", read_only=True" : ""));
    line(fmt::format("away = answer(lambda: {})", question()));
    Writer plain(*this);
    plain.words_ = vocabulary_.usual;
    line(fmt::format("home = answer(lambda: {})", renamed(plain.question(), "store", "twin")));
    line("print(\"the store:\", away, \"a MemoryStore:\", home)");
    finish("away != home and " + wrong_condition());
  }

  static std::string bytes_text(const std::string& bytes) {
    const bool uniform = bytes.size() > 64 && bytes.size() % 16 == 0 && [&] {
      for (std::size_t i = 16; i < bytes.size(); i += 16)
        if (bytes.compare(i, 16, bytes, 0, 16) != 0) return false;
      return true;
    }();
    return uniform ? fmt::format("{} * {}", bytes_literal(bytes.substr(0, 16)), bytes.size() / 16)
                   : bytes_literal(bytes);
  }

  // What a reader sees that takes the first entry of a name, as libzip does.
  void written() {
    const std::string key = told_look() ? told_look()->entry.key : "";
    const auto wrote = expected_.content.find(key);
    line("answer(store.close)");
    line("archive = zipfile.ZipFile(\"store.zip\")");
    line(fmt::format("named = [it for it in archive.infolist() if it.filename == {}]",
                     text_literal(key)));
    line("away = answer(lambda: archive.read(named[0]))");
    line("print(len(named), \"entries have that name; the first holds\", away)");
    finish(fmt::format("away != repr({})",
                       wrote == expected_.content.end() ? "None" : bytes_text(wrote->second)));
  }

  void carrying_refused() {
    line(fmt::format("away = answer(lambda: {})",
                     told_.step == "packing" && pickled() ? dumps() : carried()));
    finish(wrong_condition());
  }

  // The looks of a whole journey, in order. At first one read stands for all of them, one write for
  // all of its name, and none may fail: a short script that shows the defect is worth more than a
  // long one.
  std::vector<std::string> all_looks(bool writes) {
    std::vector<std::string> steps;
    const bool writing = writes && child_writes(plan_);
    int reads = 0;
    std::set<std::string> written;
    for (const Look& look : writes ? plan_ : without_writes(plan_)) {
      const bool write = look.group == LookGroup::kWrites;
      if (!options_.thorough && write && look.name == "get") continue;
      if (!options_.thorough && write && !written.insert(look.name).second) continue;
      if (!options_.thorough && !write && (writing || ++reads > 1)) continue;
      steps.push_back(careful(look_phrase(look)));
    }
    return steps;
  }

  std::string careful(const std::string& text) const {
    return options_.thorough ? fmt::format("answer(lambda: {})", text) : text;
  }

  static bool closes(const std::vector<std::string>& steps) {
    return !steps.empty() && steps.back().find("store.close()") != std::string::npos;
  }

  // What the parent asks before it sees the difference: a file that a child moved may be in order
  // again for one question, and not for the next.
  void earlier_lines() {
    std::vector<std::string> steps;
    for (int i = 0; i < told_.look && told_look(); ++i)
      if (plan_[i].group != LookGroup::kWrites) steps.push_back(careful(look_phrase(plan_[i])));
    if (options_.compact) fold(steps, 0);
    for (const std::string& step : steps) line(step);
  }

  void parent_answer() {
    ask_at_home(question());
    // A child that inherits shares the file, and its place in it: what it reads moves the parent.
    const bool shares = value_.carrier == Carrier::kInherited;
    const bool away = shares || (value_.carrier != Carrier::kMadeAnew &&
                                 value_.carrier != Carrier::kHandedOver && child_writes(plan_));
    if (!away && value_.meanwhile != Meanwhile::kIdle) meanwhile_line();
    if (away) {
      std::vector<std::string> steps = all_looks(true);
      if (!closes(steps)) steps.push_back("answer(store.close)");
      define_visit(steps);
      call_visit();
    }
    if (told_.step == "close")
      for (const std::string& step : all_looks(false)) line(step);
    else if (shares && options_.thorough)
      earlier_lines();
    line(fmt::format("away = answer(lambda: {})", question()));
    finish(wrong_condition());
  }

  void child_answer() {
    std::string ask = question();
    if (told_.oracle == "equality") return equality();
    if (told_.side == "returned") return returned(ask);
    // Lost is only what was there.
    const bool lost = told_.oracle == "attributes" && refused(told_.child);
    if (lost)
      line(fmt::format("home = answer(lambda: {})", ask));
    else
      ask_at_home(ask);
    std::vector<std::string> steps;
    if (told_by(LookGroup::kWrites))
      for (int i = 0; i < told_.look; ++i)
        if (plan_[i].group == LookGroup::kWrites && (options_.thorough || plan_[i].name != "get"))
          steps.push_back(fmt::format("answer(lambda: {})", look_phrase(plan_[i])));
    steps.push_back(fmt::format("return answer(lambda: {})", ask));
    define_visit(steps);
    call_visit();
    finish(lost ? "away != home and " + wrong_condition() : wrong_condition());
  }

  void equality() {
    if (value_.transport == Transport::kThread) return equality_in_thread();
    line(fmt::format("store_copy = {}", carried()));
    const char* ask = told_.field == "copy == store"   ? "store_copy == store"
                      : told_.field == "store == copy" ? "store == store_copy"
                                                       : "store_copy != store";
    line(fmt::format("away = answer(lambda: {})", ask));
    finish(wrong_condition());
  }

  void equality_in_thread() {
    line("visit.own = store");
    const char* ask = told_.field == "copy == store"   ? "store == visit.own"
                      : told_.field == "store == copy" ? "visit.own == store"
                                                       : "store != visit.own";
    define_visit({fmt::format("return answer(lambda: {})", ask)});
    call_visit();
    finish(wrong_condition());
  }

  void returned(const std::string& ask) {
    const bool array = value_.comes_back == ComesBack::kArray;
    ask_at_home(array ? "zarr.open_array(store, mode=\"r\")[:].tolist()" : ask);
    if (value_.comes_back == ComesBack::kGrandchild) {
      visit_ = fmt::format(
          "def look(store):\n    store = pickle.loads(store)\n"
          "    return answer(lambda: {})\n\n",
          ask);
      define_visit({"with ProcessPoolExecutor(1, mp_context=get_context(\"fork\")) as pool:",
                    "    return pool.submit(look, pickle.dumps(store)).result()"});
      call_visit();
      return finish(wrong_condition());
    }
    std::vector<std::string> steps;
    if (options_.thorough) steps = all_looks(true);
    steps.emplace_back(array ? "return zarr.open_array(store, mode=\"r\")" : "return store");
    define_visit(steps);
    call_visit();
    line(array ? "away = answer(lambda: away[:].tolist())"
               : fmt::format("store = away; away = answer(lambda: {})", ask));
    finish(wrong_condition());
  }

  void disk() {
    if (told_.field == "building") {
      line("print(\"the archive holds\", entries())");
      return finish("not entries()");
    }
    const bool raw = told_.wrong == "changed";
    line(raw ? "before = open(\"store.zip\", \"rb\").read()" : "before = entries()");
    std::vector<std::string> steps;
    const bool whole = told_.field != "receiving" && told_.field != "packing";
    if (whole) {
      steps = all_looks(true);
      if (!closes(steps)) steps.push_back(careful("store.close()"));
    } else {
      steps.push_back("pass");
    }
    if (told_.field == "packing") {
      line(pickled() ? dumps() : carried());
    } else {
      define_visit(steps);
      call_visit();
    }
    if (told_.field == "parent's use" && options_.thorough)
      for (const std::string& step : all_looks(false)) line(step);
    if (told_.field == "parent's use" && !options_.thorough)
      line(phrase("looks", "get", {.key = "a"}, 0, 0, false));
    if (told_.field.ends_with("use")) line(careful("store.close()"));
    line(raw ? "after = open(\"store.zip\", \"rb\").read()" : "after = entries()");
    if (!raw && !told_.field.ends_with("use"))
      line("print(\"before:\", before, \"after:\", after)");
    if (told_.wrong == "write lost") {
      const Shown* wanted = shown(told_.parent);
      return finish(
          fmt::format("set({}) - set(after)", wanted ? value_literal(wanted->value) : "before"));
    }
    const Shown* wanted = shown(told_.parent);
    if (told_.field.ends_with("use") && wanted) return finish("not after");
    finish(told_.wrong == "emptied" ? "before and not after" : "before != after");
  }

  void survival() {
    std::vector<std::string> steps = all_looks(true);
    if (!closes(steps)) steps.push_back("answer(store.close)");
    if (std::holds_alternative<Crashed>(told_.child) && told_.side == "child") {
      define_visit(steps);
      call_visit("exception");
      return finish("isinstance(away, BrokenProcessPool)");
    }
    if (told_.field == "files") {
      define_visit(steps);
      call_visit();
      line("print(found := sorted(os.listdir(\".\")))");
      return finish("len(found) > 1");
    }
    steps.push_back("return open_files()");
    define_visit(steps);
    call_visit();
    if (told_.side == "parent") {
      line("answer(store.close)");
      line("away = open_files()");
    }
    finish("away");
  }

  // What kills its process is left to a fork, and its end is looked at.
  void live_on() {
    line("if child := os.fork():");
    line("    if (code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) > 0: return 2");
    const std::string body = std::exchange(body_, "");
    finish("code < 0");
    body_ = body + indented(body_);
  }

  static std::string indented(const std::string& lines) {
    return "    " + fill(lines.substr(0, lines.size() - 1), {{"\n", "\n    "}}) + "\n";
  }

  void journey_of_its_own() {
    define_visit(all_looks(true));
    call_visit();
    line("return 0");
  }

  bool hangs_in_child() const {
    return told_.side == "child" && !in_this_process(value_.transport);
  }

  // What hangs its own process is ended by a timer, after the stacks. os._exit runs no `finally`.
  void set_alarm() {
    line("def end(what, code):");
    line("    print(what, flush=True)");
    line("    shutil.rmtree(tempfile.tempdir)");
    line("    os._exit(code)");
    line(fmt::format("faulthandler.dump_traceback_later({}, exit=False)", options_.seconds));
    line(fmt::format("threading.Timer({}, end, ({}, 1)).start()", options_.seconds + 1,
                     text_literal("DEFECT: " + told_.headline)));
  }

  // The look that hangs, as its stacks name it (stacks.h); none where they do not, and in a script
  // that asks every look.
  const Look* hanging_look() const {
    const TimedOut* late = std::get_if<TimedOut>(&told_.child);
    const std::string doing = find_hang(late ? late->stacks : "").doing;
    if (options_.thorough) return nullptr;
    const auto found = std::ranges::find_if(
        plan_, [&](const Look& look) { return doing == fmt::format("`{}`", look.name); });
    return found == plan_.end() ? nullptr : &*found;
  }

  // At first only the look that hangs; then all before it as well.
  std::vector<std::string> looks_until_hang() {
    const TimedOut* late = std::get_if<TimedOut>(&told_.child);
    if (find_hang(late ? late->stacks : "").doing == "receiving the store") return {"pass"};
    if (const Look* stuck = hanging_look()) return {look_phrase(*stuck)};
    std::vector<std::string> steps = all_looks(true);
    if (steps.empty()) steps = {"pass"};
    return steps;
  }

  // A child that hangs: two equal stacks, a second apart, tell that it does not move. The last may
  // be cut short by the end of the child.
  void hang() {
    std::vector<std::string> steps = looks_until_hang();
    const bool in_child = hangs_in_child();
    if (in_child)
      steps.insert(
          steps.begin(),
          "faulthandler.dump_traceback_later(1, repeat=True, file=open(\"stacks\", \"a\"))");
    define_visit(steps, in_child ? 1 : 0);
    if (!in_child) {
      call_visit();
      return line("end(\"gone\", 0)");
    }
    const std::string argument = pickled() ? packed() : "None";
    if (!pickled() && value_.meanwhile != Meanwhile::kIdle) meanwhile_line();
    if (value_.carrier == Carrier::kInherited) line("visit.store = store  # what a fork inherits");
    line(fmt::format("pool = ProcessPoolExecutor(1, mp_context=get_context(\"{}\"))",
                     name_of(value_.transport)));
    line(fmt::format("future = pool.submit(visit, {})", argument));
    line(fmt::format("stuck = not wait([future], {}).done", options_.seconds));
    line("[child.kill() or child.join() for child in list(pool._processes.values())]");
    line("dumps = open(\"stacks\").read().split(\"Timeout\")");
    line("print(dumps[-1] if stuck else future.exception() or \"the child came back\")");
    finish("stuck and any(one == next for one, next in zip(dumps[1:], dumps[2:]))");
  }

  // --- the head

  std::string header() {
    std::string helpers;
    const std::string code = without_literals(body_ + visit_);
    const auto uses = [&](std::string_view word) { return mentions(code, word); };
    if (uses("data("))
      helpers += "def data(buffer):\n    return None if buffer is None else buffer.to_bytes()\n\n";
    if (uses("collect("))
      helpers += "async def collect(method, *of):\n    return [it async for it in method(*of)]\n\n";
    if (uses("answer("))
      helpers +=
          "def answer(question):\n    try:\n        return repr(question())\n"
          "    except Exception as error:\n"
          "        return f\"{type(error).__name__}: {error}\"\n\n";
    if (uses("entries("))
      helpers +=
          "def entries():\n    whole = zipfile.is_zipfile(\"store.zip\") and "
          "not zipfile.ZipFile(\"store.zip\").testzip()\n"
          "    return sorted(zipfile.ZipFile(\"store.zip\").namelist()) if whole else []\n\n";
    if (uses("open_files("))
      helpers +=
          "def open_files():\n    return [it for it in pathlib.Path(\"/proc/self/fd\").iterdir() "
          "if os.getcwd() in os.path.realpath(it)]\n\n";
    if (uses("holding("))
      helpers +=
          "def holding(lock):  # another thread has it, for as long as this process lives\n"
          "    threading.Thread(target=lambda: lock.acquire() and time.sleep(99), "
          "daemon=True).start()\n    time.sleep(0.3)\n\n";
    return imports(helpers) + helpers + visit_;
  }

  std::string imports(const std::string& helpers) const {
    const std::string code =
        without_literals(helpers + visit_ + body_) + " sys. os. tempfile. shutil.";
    const auto uses = [&](std::string_view word) { return mentions(code, word); };
    std::vector<std::string> modules;
    for (const char* name :
         {"asyncio", "base64", "cloudpickle", "contextlib", "copy", "distributed.protocol",
          "faulthandler", "gc", "os", "pathlib", "pickle", "shutil", "sys", "tempfile", "threading",
          "time", "zipfile", "zlib"})
      if (uses(std::string(name) + ".")) modules.emplace_back(name);
    std::string text = requirements(uses);
    for (std::size_t i = 0; i < modules.size(); i += 12) {  // more do not fit into a line
      const std::size_t size = std::min<std::size_t>(12, modules.size() - i);
      text += fmt::format("import {}\n", fmt::join(std::span(modules).subspan(i, size), ", "));
    }
    std::vector<std::string> pools;
    for (const char* name : {"ProcessPoolExecutor", "ThreadPoolExecutor"})
      if (uses(name)) pools.emplace_back(name);
    if (uses("wait([")) pools.emplace_back("wait");
    if (!pools.empty())
      text += fmt::format("from concurrent.futures import {}\n", fmt::join(pools, ", "));
    if (uses("BrokenProcessPool"))
      text += "from concurrent.futures.process import BrokenProcessPool\n";
    if (uses("LocalCluster(")) text += "from distributed import Client, LocalCluster\n";
    if (uses("get_context(")) text += "from multiprocessing import get_context\n";
    if (uses("ForkingPickler")) text += "from multiprocessing.reduction import ForkingPickler\n";
    text += "sys.excepthook = lambda *error: print(*error, flush=True) or os._exit(2)\n";
    if (uses("zarr.storage."))
      text += "import zarr, zarr.storage\n";
    else if (uses("zarr."))
      text += "import zarr\n";
    if (uses("zarr.core.sync.")) text += "import zarr.core.sync\n";
    for (const std::string& import : value_.store->imports)
      if (!import.starts_with("import ") || uses(import.substr(7) + ".")) text += import + "\n";
    if (uses("sync(")) text += "from zarr.core.sync import sync\n";
    std::vector<std::string> names;
    if (uses("cpu.Buffer")) names.emplace_back("cpu");
    if (uses("default_buffer_prototype")) names.emplace_back("default_buffer_prototype");
    if (!names.empty())
      text += fmt::format("from zarr.core.buffer import {}\n", fmt::join(names, ", "));
    names.clear();
    for (const char* name : {"RangeByteRequest", "OffsetByteRequest", "SuffixByteRequest"})
      if (uses(name)) names.emplace_back(name);
    if (!names.empty())
      text += fmt::format("from zarr.abc.store import {}\n", fmt::join(names, ", "));
    return text + "\n";
  }

  // The PEP 723 header. `uv run` installs what stands there. A zarr that lay at a path does not
  // stand there: the release of its number would be tested instead.
  std::string requirements(const std::function<bool(std::string_view)>& uses) const {
    std::vector<std::string> packages;
    if (options_.published) packages.push_back("zarr==" + options_.release);
    if (zarr_2()) packages.emplace_back("numcodecs<0.16");  // which took away what zarr 2 imports
    // What a store imports it needs, also where the script itself does not name it.
    const auto imported = [&](const std::string& name) {
      return std::ranges::any_of(value_.store->imports, [&](const std::string& line) {
        return line.find(" " + name) != line.npos;
      });
    };
    static const std::vector<std::string> of_ours{"cloudpickle", "dask",    "distributed", "fsspec",
                                                  "icechunk",    "obstore", "virtualizarr"};
    for (const std::string& name : of_ours)
      if (uses(name + ".") || imported(name) || (name == "distributed" && uses("LocalCluster(")) ||
          value_.store->make.find(name) != std::string::npos)
        packages.push_back(with_version(name));
    // What the file of an adapter imports is unknown: its user named it, beside what we know.
    if (!value_.store->file.empty() && options_.packages.is_object())
      for (const auto& [name, version] : options_.packages.items())
        if (std::ranges::find(of_ours, name) == of_ours.end())
          packages.push_back(with_version(name));
    std::string list = fmt::format("# dependencies = [\"{}\"]\n", fmt::join(packages, "\", \""));
    if (packages.empty()) list = "# dependencies = []\n";
    if (list.size() > kWidth)
      list = fmt::format("# dependencies = [\n#   \"{}\",\n# ]\n",
                         fmt::join(packages, "\",\n#   \""));
    std::string text = "# /// script\n# requires-python = \">=3.12\"\n" + list + "# ///\n";
    if (!options_.published)
      text += fmt::format(
          "# Seen with zarr {} from a path, no release: uv run --with PATH repro.py\n",
          printable(options_.release));
    return text;
  }

  std::string with_version(const std::string& name) const {
    const Json& all = options_.packages;
    const Json version = all.is_object() ? all.value(name, Json()) : Json();
    return version.is_string() ? fmt::format("{}=={}", name, version.get<std::string>()) : name;
  }

  const Case& value_;
  const Disagreement& told_;
  const ReproOptions& options_;
  const Vocabulary& vocabulary_;
  Json words_;
  std::vector<Answer> operation_answers_;
  Answer meanwhile_;
  Expectation expected_;
  std::vector<Look> plan_;
  std::string body_, visit_;
};

constexpr int kMostLines = 40;
// What a child or a pool leaves in its temporary folder is removed with ours.
constexpr std::string_view kTail =
    "\nif __name__ == \"__main__\":\n"
    "    tempfile.tempdir = os.environ[\"TMPDIR\"] = tempfile.mkdtemp()\n"
    "    try:\n        sys.exit(main())\n"
    "    finally:\n        shutil.rmtree(tempfile.tempdir, ignore_errors=True)\n";

}  // namespace

Result<std::string> write_repro(const Case& value, const Finding& finding, const Json& observations,
                                const ReproOptions& options) {
  std::ifstream file(options.vocabulary);
  const Json words = Json::parse(file, nullptr, false);
  const std::string usual = options.release.starts_with("2.") ? "zarr 2" : "zarr 3";
  const std::string own = value.store->interface.empty() ? usual : value.store->interface;
  if (words.is_discarded() || !words.contains(usual) || !words.contains(own))
    return machine_failure("the vocabulary cannot be read");
  const Vocabulary vocabulary{words[own], words[usual], words["carriers"]};
  const auto write = [&](const ReproOptions& how) {
    return Writer(value, finding, observations, how, vocabulary).write() + std::string(kTail);
  };
  const auto is_long = [](const std::string& it) {
    return std::ranges::count(it, '\n') > kMostLines;
  };
  // Blank lines and a line for each step make a script readable; a long one goes without.
  const std::string script = write(options);
  std::string text = wrapped(script, kWidth);
  if (is_long(text)) text = wrapped(fill(script, {{"\n\n", "\n"}}), kWidth);
  if (!is_long(text)) return text;
  ReproOptions compact = options;
  compact.compact = true;
  std::string dense = fill(
      write(compact),
      {{"\n\n", "\n"},
       {":\n    return ", ": return "},
       {":\n        return ", ": return "},
       {":\n        sys.exit", ": sys.exit"},
       {":\n        shutil.rmtree", ": shutil.rmtree"},
       {".items():\n        os.makedirs", ".items(): os.makedirs"},
       {"exist_ok=True)\n        pathlib.", "exist_ok=True); pathlib."},
       {kWarmComment, ""},
       {"mp_context=", ""},
       {"as pool:\n        ", "as pool: "}});
  if (dense.find("def answer(") != dense.npos)
    dense = fill(dense, {{"\n        with contextlib.suppress(Exception): step()", " answer(step)"},
                         {" contextlib,", ""}});
  text = wrapped(dense, kWidth);
  return is_long(text) ? wrapped(joined(dense, kWidth), kWidth) : text;
}

}  // namespace storefuzz
