// The script is built from the same vocabulary lines that side.py ran. Its shape depends on what
// went wrong: a wrong answer, an archive that changed, a side that hung or died.
#include "harness/repro.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "harness/expectation.h"
#include "harness/oracle.h"

namespace storefuzz {
namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// A Python string literal; JSON's escapes are Python's, with its non-ASCII text spelled out.
std::string literal(const std::string& text) {
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string bytes_literal(const Entry& entry) {
  const bool ascii = std::ranges::all_of(entry.value, [](unsigned char c) { return c < 0x80; });
  const std::string plain = ascii ? "b" + literal(entry.value) : literal(entry.value) + ".encode()";
  return entry.repeat == 1 ? plain : fmt::format("{} * {}", plain, entry.repeat);
}

// A JSON value as Python, as side.py's `plain` shows it.
std::string python_value(const Json& json) {
  if (json.is_null()) return "None";
  if (json.is_boolean()) return json.get<bool>() ? "True" : "False";
  if (json.is_object() && json.contains("bytes")) return "b" + literal(json["bytes"]);
  if (json.is_array()) {
    std::vector<std::string> items;
    for (const Json& item : json) items.push_back(python_value(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

class Writer {
 public:
  Writer(const Case& value, const Finding& finding, const Json& observations,
         const ReproOptions& options, const Json& words)
      : value_(value), told_(finding.told), seen_(observations), options_(options), words_(words) {
    for (const Json& answer : seen_.value("operations", Json::array()))
      operation_answers_.push_back(answer_from_json(answer));
    plan_ = make_plan(value, expect(value, operation_answers_));
  }

  std::string write() {
    write_body();
    return header() + body_;
  }

 private:
  // --- pieces ---------------------------------------------------------------------------------

  void line(std::string_view text) { body_ += fmt::format("    {}\n", text); }

  // A vocabulary line with its arguments, its coroutines run as this case runs them.
  std::string phrase(const char* table, const std::string& name, const Entry& entry,
                     std::int64_t start, std::int64_t end, bool by_loop) {
    std::string text = words_[table].value(name, "None");
    text = replace_all(text, "{key}", literal(entry.key));
    text = replace_all(text, "{value}", bytes_literal(entry));
    text = replace_all(text, "{start}", std::to_string(start));
    text = replace_all(text, "{end}", std::to_string(end));
    text = replace_all(text, "buffer(", "cpu.Buffer.from_bytes(");
    text = replace_all(text, "prototype", "default_buffer_prototype()");
    text = replace_all(text, "run(", by_loop ? "sync(" : "asyncio.run(");
    return text;
  }

  std::string look_phrase(const Look& look) {
    std::string text = phrase("looks", look.name, look.entry, look.start, look.end,
                              value_.driver == Driver::kLoop);
    return look.group == LookGroup::kListing && text.find("collect(") != text.npos
               ? "sorted(" + text + ")"
               : text;
  }

  // What the script asks of a store to see the difference.
  std::string question() {
    if (told_.look >= 0 && told_.look < static_cast<int>(plan_.size()))
      return look_phrase(plan_[told_.look]);
    if (told_.oracle == "equality") return "store == OTHER";
    if (told_.field == "close") return "store.close()";
    if (told_.field == "sending back") return "pickle.dumps(store)";
    return "store." + (told_.lost.empty() ? told_.field : told_.lost);
  }

  std::string constructor() const {
    const Constructor& made = value_.constructor;
    std::string path = value_.store == StoreKind::kZip ? "store.zip" : "store";
    path = made.relative_path ? literal(path) : fmt::format("os.path.abspath({})", literal(path));
    std::string arguments = path;
    if (value_.store == StoreKind::kZip) {
      arguments += fmt::format(", mode=\"{}\"", name_of(made.mode));
      if (made.compression == Compression::kDeflated)
        arguments += ", compression=zipfile.ZIP_DEFLATED";
      if (!made.allow_zip64) arguments += ", allowZip64=False";
    }
    const bool usual = value_.store == StoreKind::kLocal && made.read_only == false;
    if (made.read_only && !usual)
      arguments += fmt::format(", read_only={}", *made.read_only ? "True" : "False");
    return fmt::format("zarr.storage.{}({})", store_name(value_), arguments);
  }

  void make_archive_lines() {
    if (!value_.archive) return;
    if (value_.store == StoreKind::kLocal) {
      for (const Entry& entry : value_.archive->entries) {
        line(fmt::format("path = pathlib.Path(\"store\", {})", literal(entry.key)));
        line("path.parent.mkdir(parents=True, exist_ok=True)");
        line(fmt::format("path.write_bytes({})", bytes_literal(entry)));
      }
      if (value_.archive->entries.empty()) line("pathlib.Path(\"store\").mkdir()");
      return;
    }
    const bool deflated = value_.archive->compression == Compression::kDeflated;
    line(fmt::format("with zipfile.ZipFile(\"store.zip\", \"w\"{}) as archive:",
                     deflated ? ", zipfile.ZIP_DEFLATED" : ""));
    for (const Entry& entry : value_.archive->entries)
      if (!entry.key.empty())
        line(fmt::format("    archive.writestr({}, {})", literal(entry.key), bytes_literal(entry)));
    if (value_.archive->entries.empty()) line("    pass  # an archive without entries");
  }

  void operation_lines() {
    const std::vector<Operation> operations = operations_of(value_);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& it = operations[i];
      const std::string text = phrase("operations", std::string(name_of(it.what)), it.entry,
                                      it.start, it.end, value_.parent == Warmth::kWarm);
      const bool here = told_.operation == static_cast<int>(i);
      const bool smooth = i < operation_answers_.size() && shown(operation_answers_[i]);
      line(here     ? fmt::format("away = answer(lambda: {})", text)
           : smooth ? text
                    : fmt::format("answer(lambda: {})", text));
      if (here) return;
    }
  }

  std::string dumps() const {
    const int protocol = static_cast<int>(std::string_view(name_of(value_.carrier)).back() - '0');
    return protocol == 5 ? "pickle.dumps(store)"
                         : fmt::format("pickle.dumps(store, protocol={})", protocol);
  }

  bool pickled() const { return name_of(value_.carrier).starts_with("pickle"); }

  // The carried store, in this process.
  std::string carried() const {
    switch (value_.carrier) {
      case Carrier::kCopy:
        return "copy.copy(store)";
      case Carrier::kDeepcopy:
        return "copy.deepcopy(store)";
      case Carrier::kHandedOver:
        return "store";
      case Carrier::kMadeAnew:
        return constructor();
      default:
        return fmt::format("pickle.loads({})", dumps());
    }
  }

  // An expression for `visit` called where the case says, with the store where it is carried.
  std::string visited(const std::string& wait) {
    const std::string argument = pickled() ? dumps() : "None";
    switch (value_.transport) {
      case Transport::kSameProcess:
        return fmt::format("visit({})", pickled() ? dumps() : carried());
      case Transport::kThread:
        line("with ThreadPoolExecutor(1) as pool:");
        return fmt::format("    away = pool.submit(visit, {}).result({})",
                           pickled() ? dumps() : carried(), wait);
      case Transport::kSpawn:
      case Transport::kFork:
        line(fmt::format("with ProcessPoolExecutor(1, mp_context=get_context(\"{}\")) as pool:",
                         name_of(value_.transport)));
        return fmt::format("    away = pool.submit(visit, {}).result({})", argument, wait);
    }
    std::abort();
  }

  // def visit(cargo): what happens on the far side; its result is what the script judges.
  // The first `before` of them come before the store is received.
  void define_visit(const std::vector<std::string>& steps, std::size_t before = 0) {
    visit_ = "def visit(store):\n";
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (i == before && pickled()) visit_ += "    store = pickle.loads(store)\n";
      if (i == before && value_.carrier == Carrier::kMadeAnew)
        visit_ += fmt::format("    store = {}\n", constructor());
      visit_ += fmt::format("    {}\n", steps[i]);
    }
    if (steps.size() <= before && pickled()) visit_ += "    pickle.loads(store)\n";
    visit_ += "\n";
  }

  void call_visit(const std::string& wait = "") {
    const std::string call = visited(wait);
    line(call.starts_with("    ") ? call : "away = " + call);
  }

  std::string wrong_condition() {
    if (const Refused* no = refused(told_.child))
      return fmt::format("away.startswith(\"{}\")", no->type);
    if (const Shown* it = shown(told_.child)) {
      Json value = it->value;
      const bool listing = told_.look >= 0 && plan_[told_.look].group == LookGroup::kListing;
      if (listing && value.is_array()) std::sort(value.begin(), value.end());
      // Long bytes and objects have no literal: then it is wrong when it is not as at home.
      if (!value.is_object() || value.contains("bytes"))
        return fmt::format("away == repr({})", python_value(value));
      if (const Shown* right = shown(told_.parent); right && right->value.contains("path"))
        return fmt::format("away != repr(pathlib.{})", "PosixPath(\"\")");
    }
    return "away != home";
  }

  void finish(const std::string& condition) {
    line(fmt::format("wrong = bool({})", condition));
    line(fmt::format("print({} if wrong else \"gone\")", literal("DEFECT: " + told_.headline)));
    line("return int(wrong)");
  }

  // --- shapes ---------------------------------------------------------------------------------

  void write_body() {
    body_ = "def main():\n";
    line("os.makedirs(os.path.join(folder := tempfile.mkdtemp(), \"deep\", \"er\"))");
    line("os.chdir(os.path.join(folder, \"deep\", \"er\"))");
    if (value_.parent == Warmth::kWarm)
      line("sync(asyncio.sleep(0))  # zarr's event loop runs: a warm parent");
    make_archive_lines();
    line(fmt::format("store = {}", constructor()));
    operation_lines();
    if (told_.operation >= 0) return finish(wrong_condition());
    if (told_.oracle == "deadline") return hang();
    if (told_.oracle == "on disk") return disk();
    if (told_.oracle == "survival") return survival();
    if (told_.oracle == "parent intact") return parent_after_packing();
    if (told_.field == "packing" || told_.field == "receiving") return carrying_refused();
    if (told_.side == "parent") return parent_answer();
    child_answer();
  }

  void parent_after_packing() {
    if (told_.look < 0) line("before = sorted(vars(store))");
    line(pickled() ? dumps() : carried());
    if (told_.look >= 0) {
      line(fmt::format("away = answer(lambda: {})", question()));
      return finish(wrong_condition());
    }
    line("print(\"lost:\", lost := sorted(set(before) - set(vars(store))))");
    if (refused(told_.child) || told_.wrong == "lost")
      return finish(fmt::format("{} in lost", literal(told_.field)));
    line(fmt::format("away = answer(lambda: store.{})", told_.field));
    finish(wrong_condition());
  }

  void carrying_refused() {
    if (told_.field == "packing")
      line(fmt::format("away = answer(lambda: {})", pickled() ? dumps() : carried()));
    else
      line(fmt::format("away = answer(lambda: {})", carried()));
    finish(wrong_condition());
  }

  // The looks of a whole journey, in order. At first one read stands for all of them and none may
  // fail: a short script that shows the defect is worth more than a long one.
  std::vector<std::string> all_looks(bool writes) {
    std::vector<std::string> steps;
    const bool writing = writes && child_writes(plan_);
    int reads = 0;
    for (const Look& look : writes ? plan_ : without_writes(plan_)) {
      const bool write = look.group == LookGroup::kWrites;
      if (!options_.thorough && write && look.name == "get") continue;
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

  void parent_answer() {
    if (value_.carrier != Carrier::kMadeAnew && value_.carrier != Carrier::kHandedOver &&
        child_writes(plan_)) {
      std::vector<std::string> steps = all_looks(true);
      if (!closes(steps)) steps.push_back("answer(store.close)");
      define_visit(steps);
      call_visit();
    }
    const bool close = told_.field == "close" && told_.look < 0;
    if (close)
      for (const std::string& step : all_looks(false)) line(step);
    line(fmt::format("away = answer(lambda: {})", question()));
    finish(wrong_condition());
  }

  void child_answer() {
    std::string ask = question();
    if (told_.oracle == "equality") return equality();
    if (told_.side == "returned") return returned(ask);
    if (wrong_condition() == "away != home") line(fmt::format("home = answer(lambda: {})", ask));
    std::vector<std::string> steps;
    if (told_.look >= 0 && plan_[told_.look].group == LookGroup::kWrites)
      for (int i = 0; i < told_.look; ++i)
        if (plan_[i].group == LookGroup::kWrites)
          steps.push_back(fmt::format("answer(lambda: {})", look_phrase(plan_[i])));
    steps.push_back(fmt::format("return answer(lambda: {})", ask));
    define_visit(steps);
    call_visit();
    finish(wrong_condition());
  }

  void equality() {
    line(fmt::format("store_copy = {}", carried()));
    const char* ask = told_.field == "copy == store"   ? "store_copy == store"
                      : told_.field == "store == copy" ? "store == store_copy"
                                                       : "store_copy != store";
    line(fmt::format("away = answer(lambda: {})", ask));
    finish(wrong_condition());
  }

  void returned(const std::string& ask) {
    const bool array = value_.comes_back == ComesBack::kArray;
    define_visit({array ? "return zarr.open_array(store, mode=\"r\")" : "return store"});
    call_visit();
    if (wrong_condition() == "away != home")
      line(fmt::format("home = answer(lambda: {})",
                       array ? "zarr.open_array(store, mode=\"r\")[:].tolist()" : ask));
    line(array ? "away = answer(lambda: away[:].tolist())"
               : fmt::format("store = away; away = answer(lambda: {})", ask));
    finish(wrong_condition());
  }

  void disk() {
    helpers_.insert("entries");
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
      line("asyncio.run(store.get(\"a\", default_buffer_prototype()))");
    if (told_.field.ends_with("use")) line(careful("store.close()"));
    line(raw ? "after = open(\"store.zip\", \"rb\").read()" : "after = entries()");
    if (!raw && !told_.field.ends_with("use"))
      line("print(\"before:\", before, \"after:\", after)");
    if (told_.wrong == "write lost") {
      const Shown* wanted = shown(told_.parent);
      return finish(
          fmt::format("set({}) - set(after)", wanted ? python_value(wanted->value) : "before"));
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
      line("try:");
      const std::string body_before = body_;
      body_.clear();
      call_visit();
      const std::string call = body_;
      body_ = body_before;
      for (std::size_t at = 0; at < call.size();) {
        const std::size_t end = call.find('\n', at);
        body_ += "    " + call.substr(at, end - at) + "\n";
        at = end + 1;
      }
      line("    away = \"lived\"");
      line("except BrokenProcessPool:");
      line("    away = \"died\"");
      return finish("away == \"died\"");
    }
    if (told_.field == "files") {
      define_visit(steps);
      call_visit();
      line("print(found := sorted(os.listdir(\".\")))");
      return finish(fmt::format("len(found) > {}", 1));
    }
    helpers_.insert("open_files");
    steps.push_back("return open_files()");
    define_visit(steps);
    call_visit();
    if (told_.side == "parent") {
      line("answer(store.close)");
      line("away = open_files()");
    }
    finish("away");
  }

  // A child that hangs: its stacks twice, a second apart, tell that it does not move.
  void hang() {
    std::vector<std::string> steps = all_looks(true);
    if (steps.size() == 1) steps = {look_phrase(plan_.front())};
    const bool in_child = told_.side == "child" && (value_.transport == Transport::kSpawn ||
                                                    value_.transport == Transport::kFork);
    if (in_child)
      steps.insert(steps.begin(), "faulthandler.register(signal.SIGUSR2, open(\"stacks\", \"a\"))");
    define_visit(steps, in_child ? 1 : 0);
    if (!in_child) {
      line(fmt::format("faulthandler.dump_traceback_later({}, exit=False)", options_.seconds));
      line(fmt::format("threading.Timer({}, lambda: (print(\"DEFECT:\", {}), os._exit(1))).start()",
                       options_.seconds + 1, literal(told_.headline)));
      call_visit();
      line("print(\"gone\", flush=True)");
      line("os._exit(0)");
      return;
    }
    helpers_.insert("stacks");
    line(fmt::format("pool = ProcessPoolExecutor(1, mp_context=get_context(\"{}\"))",
                     name_of(value_.transport)));
    line(fmt::format("future = pool.submit(visit, {})", pickled() ? dumps() : "None"));
    line(fmt::format("stuck = not wait([future], {}).done", options_.seconds));
    line("[child] = pool._processes.values()");
    line("first, second = (stacks(child.pid), stacks(child.pid)) if stuck else (0, 1)");
    line("child.kill()");
    line("print(first if stuck else future.exception() or \"the child came back\")");
    finish("first == second and first");
  }

  // --- the head -------------------------------------------------------------------------------

  bool uses(std::string_view word) const {
    return (body_ + visit_).find(word) != std::string::npos;
  }

  std::string header() {
    std::string helpers;
    if (uses("data("))
      helpers += "def data(buffer):\n    return None if buffer is None else buffer.to_bytes()\n\n";
    if (uses("collect("))
      helpers += "async def collect(keys):\n    return [key async for key in keys]\n\n";
    if (uses("answer("))
      helpers +=
          "def answer(question):\n    try:\n        return repr(question())\n"
          "    except Exception as error:\n"
          "        return f\"{type(error).__name__}: {error}\"\n\n";
    if (helpers_.contains("entries"))
      helpers +=
          "def entries():\n    whole = zipfile.is_zipfile(\"store.zip\") and "
          "not zipfile.ZipFile(\"store.zip\").testzip()\n"
          "    return sorted(zipfile.ZipFile(\"store.zip\").namelist()) if whole else []\n\n";
    if (helpers_.contains("open_files"))
      helpers +=
          "def open_files():\n    links = map(\"/proc/self/fd/{}\".format, "
          "os.listdir(\"/proc/self/fd\"))\n"
          "    return [link for link in links if "
          "os.path.realpath(link).startswith(os.getcwd())]\n\n";
    if (helpers_.contains("stacks"))
      helpers +=
          "def stacks(pid):\n    open(\"stacks\", \"w\").close()\n"
          "    os.kill(pid, signal.SIGUSR2)\n    time.sleep(1)\n    return "
          "open(\"stacks\").read()\n\n";
    return imports(helpers) + helpers + visit_;
  }

  std::string imports(const std::string& helpers) const {
    const std::string all = helpers + visit_ + body_ + "sys. os. tempfile.";
    std::vector<std::string> modules;
    for (const char* name : {"asyncio", "copy", "faulthandler", "os", "pathlib", "pickle", "signal",
                             "sys", "tempfile", "threading", "time", "zipfile"})
      if (all.find(std::string(name) + ".") != all.npos) modules.emplace_back(name);
    std::string text = fmt::format(
        "# /// script\n# requires-python = \">=3.12\"\n# dependencies = [\"zarr=={}\"]\n# ///\n"
        "import {}\n",
        options_.release, fmt::join(modules, ", "));
    std::vector<std::string> pools;
    for (const char* name : {"ProcessPoolExecutor", "ThreadPoolExecutor"})
      if (all.find(name) != all.npos) pools.emplace_back(name);
    if (all.find("wait([") != all.npos) pools.emplace_back("wait");
    if (!pools.empty())
      text += fmt::format("from concurrent.futures import {}\n", fmt::join(pools, ", "));
    if (all.find("BrokenProcessPool") != all.npos)
      text += "from concurrent.futures.process import BrokenProcessPool\n";
    if (all.find("get_context(") != all.npos) text += "from multiprocessing import get_context\n";
    text += "sys.excepthook = lambda *error: print(*error, flush=True) or os._exit(2)\n";
    text += "import zarr, zarr.storage\n";
    if (all.find("sync(") != all.npos) text += "from zarr.core.sync import sync\n";
    std::vector<std::string> names;
    if (all.find("cpu.Buffer") != all.npos) names.emplace_back("cpu");
    if (all.find("default_buffer_prototype") != all.npos)
      names.emplace_back("default_buffer_prototype");
    if (!names.empty())
      text += fmt::format("from zarr.core.buffer import {}\n", fmt::join(names, ", "));
    names.clear();
    for (const char* name : {"RangeByteRequest", "OffsetByteRequest", "SuffixByteRequest"})
      if (all.find(name) != all.npos) names.emplace_back(name);
    if (!names.empty())
      text += fmt::format("from zarr.abc.store import {}\n", fmt::join(names, ", "));
    return text + "\n";
  }

  const Case& value_;
  const Disagreement& told_;
  const Json& seen_;
  const ReproOptions& options_;
  const Json& words_;
  std::vector<Answer> operation_answers_;
  std::vector<Look> plan_;
  std::set<std::string> helpers_;
  std::string body_, visit_;
};

constexpr int kMostLines = 40;
constexpr std::string_view kTail = "\nif __name__ == \"__main__\":\n    sys.exit(main())\n";

}  // namespace

Result<std::string> write_repro(const Case& value, const Finding& finding, const Json& observations,
                                const ReproOptions& options) {
  std::ifstream file(options.vocabulary);
  const Json words = Json::parse(file, nullptr, false);
  const char* dialect = options.release.starts_with("2.") ? "zarr 2" : "zarr 3";
  if (words.is_discarded() || !words.contains(dialect))
    return machine_failure("the vocabulary cannot be read");
  Writer writer(value, finding, observations, options, words[dialect]);
  std::string script = writer.write() + std::string(kTail);
  // Blank lines make a short script readable; a long one goes without.
  if (std::ranges::count(script, '\n') > kMostLines) script = replace_all(script, "\n\n", "\n");
  return script;
}

}  // namespace storefuzz
