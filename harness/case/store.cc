// Reads adapters once, keeps them for ever, and composes wrappers on demand.
#include "harness/case/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "harness/base/paths.h"
#include "harness/base/python_text.h"
#include "harness/base/text.h"

namespace storefuzz {
namespace {

constexpr std::string_view kOver = " over ";
constexpr std::size_t kMostWrappers = 4;

template <class Enum>
struct Word {
  std::string_view word;
  Enum value;
};
constexpr Word<Medium> kMedia[] = {
    {"zip", Medium::kZip}, {"folder", Medium::kFolder}, {"memory", Medium::kMemory}};
constexpr Word<Shared> kShared[] = {{"place", Shared::kPlace},
                                    {"object", Shared::kObject},
                                    {"process", Shared::kProcess},
                                    {"session", Shared::kSession}};
constexpr Word<Can> kCan[] = {{"no", Can::kNo}, {"may", Can::kMay}, {"yes", Can::kYes}};

class AdapterReader {
 public:
  explicit AdapterReader(const Json& json) : json_(json) {}

  Result<Adapter> read() {
    if (!json_.is_object()) return bad_input("an adapter is no object");
    Adapter adapter;
    text("kind", adapter.kind, true);
    text("type", adapter.type, true);
    text("make", adapter.make, true);
    texts("imports", adapter.imports);
    text("needs", adapter.needs);
    texts("arguments", adapter.arguments);
    text("clean", adapter.clean);
    text("before", adapter.before);
    text("interface", adapter.interface);
    text("file", adapter.file);
    text("dictionary", adapter.dictionary);
    text("uses", adapter.uses);
    text("prefix", adapter.prefix);
    word("medium", adapter.medium, kMedia);
    word("shared", adapter.shared, kShared);
    word("clears", adapter.clears, kCan);
    word("views", adapter.views, kCan);
    flag("caches", adapter.caches);
    flag("connects", adapter.connects);
    flag("keeps", adapter.keeps);
    flag("writes", adapter.writes);
    flag("deletes", adapter.deletes);
    flag("waits", adapter.waits);
    flag("threads", adapter.threads);
    flag("any key", adapter.any_key);
    flag("zarr keys", adapter.zarr_keys);
    flag("files", adapter.files);
    flag("deletes folders", adapter.deletes_folders);
    flag("stays", adapter.stays);
    flag("forgets", adapter.forgets);
    flag("opaque", adapter.opaque);
    flag("opens", adapter.opens);
    flag("chosen", adapter.chosen);
    flag("listed", adapter.listed);
    adapter.wraps = adapter.make.find("{inner}") != adapter.make.npos;
    adapter.given_a_file = adapter.make.find("{file mode}") != adapter.make.npos;
    adapter.made_for = adapter.make.find("mkdir=True") != adapter.make.npos;
    adapter.served = adapter.make.find("{server}") != adapter.make.npos;
    known_.emplace_back("about");
    for (const auto& [name, value] : json_.items())
      if (std::ranges::find(known_, name) == known_.end())
        fail(fmt::format("has an unknown member \"{}\"", name));
    static const std::vector<std::string> arguments{"mode", "read_only", "compression",
                                                    "allowZip64"};
    for (const std::string& argument : adapter.arguments)
      if (std::ranges::find(arguments, argument) == arguments.end())
        fail(fmt::format("has an unknown argument \"{}\"", argument));
    if (adapter.kind.find(kOver) != adapter.kind.npos ||
        adapter.kind.find(',') != adapter.kind.npos)
      fail("has a word with \" over \" or a comma in it");
    if (adapter.kind == "all") fail("has the word that means every store");
    if (adapter.opaque && adapter.medium != Medium::kFolder)
      fail("is opaque, which only a store with \"medium\": \"folder\" can be");
    if (adapter.medium == Medium::kMemory && adapter.make.find("{path}") != adapter.make.npos)
      fail("has a {path}, and content in memory has none: say \"opaque\": true instead");
    if (!wrong_.empty())
      return bad_input(adapter.kind.empty()
                           ? "an adapter " + wrong_
                           : fmt::format("the adapter \"{}\" {}", adapter.kind, wrong_));
    return adapter;
  }

 private:
  void fail(std::string what) {
    if (wrong_.empty()) wrong_ = std::move(what);
  }

  const Json* find(const char* name) {
    known_.emplace_back(name);
    auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }

  void text(const char* name, std::string& into, bool required = false) {
    const Json* value = find(name);
    if (!value && !required) return;
    if (!value || !value->is_string() || (required && value->get<std::string>().empty()))
      return fail(fmt::format("needs a text \"{}\"", name));
    into = value->get<std::string>();
  }

  void texts(const char* name, std::vector<std::string>& into) {
    const Json* value = find(name);
    if (!value) return;
    const auto is_text = [](const Json& item) { return item.is_string(); };
    if (!value->is_array() || !std::ranges::all_of(*value, is_text))
      return fail(fmt::format("needs a list of texts \"{}\"", name));
    into = value->get<std::vector<std::string>>();
  }

  void flag(const char* name, bool& into) {
    const Json* value = find(name);
    if (!value) return;
    if (!value->is_boolean()) return fail(fmt::format("needs true or false as \"{}\"", name));
    into = value->get<bool>();
  }

  template <class Enum, std::size_t n>
  void word(const char* name, Enum& into, const Word<Enum> (&words)[n]) {
    const Json* value = find(name);
    if (!value) return;
    for (const auto& [word, meaning] : words)
      if (value->is_string() && value->get_ref<const std::string&>() == word) {
        into = meaning;
        return;
      }
    fail(fmt::format("has a \"{}\" that is none", name));
  }

  const Json& json_;
  std::vector<std::string> known_;
  std::string wrong_;
};

struct Registry {
  std::mutex lock;
  std::vector<StoreKind> list;
  std::map<std::string, std::unique_ptr<Adapter>, std::less<>> by_word;

  Result<void> add(const Json& json) {
    auto adapter = AdapterReader(json).read();
    if (!adapter) return std::unexpected(adapter.error());
    if (by_word.contains(adapter->kind))
      return bad_input(fmt::format("there is a store \"{}\" already", adapter->kind));
    auto kept = std::make_unique<Adapter>(std::move(*adapter));
    list.emplace_back(kept.get());
    by_word[kept->kind] = std::move(kept);
    return {};
  }
};

// What cannot be read is our own bug, or an installation that lost a file.
[[noreturn]] void broken(const std::string& why) {
  std::fprintf(stderr, "storefuzz: reference/stores.json: %s\n", printable(why).c_str());
  std::exit(static_cast<int>(ExitCode::kMachine));
}

Registry& registry() {
  static Registry* all = [] {
    auto* made = new Registry;  // adapters are referred to until the process ends
    std::ifstream file(reference_folder() + "/stores.json");
    const Json json = Json::parse(file, nullptr, false);
    if (!json.is_object() || !json.contains("stores")) broken("it cannot be read");
    for (const Json& entry : json["stores"])
      if (auto added = made->add(entry); !added) broken(added.error().message);
    if (made->list.empty()) broken("it names no store");
    return made;
  }();
  return *all;
}

Adapter wrap(const Adapter& wrapper, const Adapter& inner) {
  Adapter whole = inner;
  whole.kind = wrapper.kind + std::string(kOver) + inner.kind;
  whole.type = wrapper.type;
  whole.make = fill(wrapper.make, {{"{inner}", inner.make}});
  whole.imports.insert(whole.imports.begin(), wrapper.imports.begin(), wrapper.imports.end());
  if (!wrapper.interface.empty()) whole.interface = wrapper.interface;
  if (!wrapper.uses.empty()) whole.uses = wrapper.uses;
  if (whole.file.empty()) whole.file = wrapper.file;
  // What each leaves in the process, each forgets.
  if (!wrapper.clean.empty())
    whole.clean =
        whole.clean.empty() ? wrapper.clean : fmt::format("({}), ({})", wrapper.clean, whole.clean);
  whole.waits = wrapper.waits || inner.waits;
  whole.any_key = wrapper.any_key && inner.any_key;
  whole.caches = wrapper.caches || inner.caches;
  whole.keeps = wrapper.keeps || inner.keeps;
  whole.views = std::min(wrapper.views, inner.views);
  whole.wraps = inner.wraps;
  whole.inner = &inner;
  return whole;
}

}  // namespace

bool Adapter::takes(std::string_view argument) const {
  return std::ranges::find(arguments, argument) != arguments.end();
}

StoreKind::StoreKind() : adapter_(registry().list.front().operator->()) {}

std::string_view name_of(StoreKind kind) { return kind->kind; }

const std::vector<StoreKind>& all_stores() { return registry().list; }

StoreKind over(StoreKind wrapper, StoreKind inner) {
  Registry& all = registry();
  const std::scoped_lock held(all.lock);
  Adapter whole = wrap(*wrapper.operator->(), *inner.operator->());
  std::unique_ptr<Adapter>& kept = all.by_word[whole.kind];
  if (!kept) kept = std::make_unique<Adapter>(std::move(whole));
  return StoreKind(kept.get());
}

Result<StoreKind> find_store(std::string_view words) {
  std::vector<std::string> chain;
  for (std::size_t at = 0; at != words.npos;) {
    const std::size_t end = words.find(kOver, at);
    chain.emplace_back(words.substr(at, end == words.npos ? end : end - at));
    at = end == words.npos ? end : end + kOver.size();
  }
  if (chain.size() > kMostWrappers + 1)
    return bad_input(fmt::format("a store has at most {} wrappers", kMostWrappers));
  std::optional<StoreKind> whole;
  for (auto word = chain.rbegin(); word != chain.rend(); ++word) {
    const auto& list = all_stores();
    const auto found = std::ranges::find(list, *word, [](StoreKind it) { return it->kind; });
    if (found == list.end())
      return bad_input(fmt::format(
          "there is no store \"{}\"; see storefuzz list stores; your own: --adapter FILE",
          shorten(*word, 40)));
    if (whole && !(*found)->wraps)
      return bad_input(fmt::format("{} is no wrapper: nothing can be below it", *word));
    whole = whole ? over(*found, *whole) : *found;
  }
  return *whole;
}

Result<Stores> parse_stores(std::string_view list) {
  Stores stores;
  if (list == "all") {
    std::ranges::copy_if(all_stores(), std::back_inserter(stores),
                         [](StoreKind it) { return it->listed; });
    return stores;
  }
  if (list.starts_with(',') || list.find(",,") != list.npos)
    return bad_input("there is no store \"\"; see storefuzz list stores");
  for (const std::string& word : comma_separated(std::string(list))) {
    auto kind = find_store(word);
    if (!kind) return std::unexpected(kind.error());
    stores.push_back(*kind);
  }
  if (stores.empty()) return bad_input("no store is named; see storefuzz list stores");
  return stores;
}

StoreKind innermost(StoreKind kind) {
  const Adapter* it = kind.operator->();
  while (it->inner) it = it->inner;
  return StoreKind(it);
}

std::optional<StoreKind> with_innermost(StoreKind kind, StoreKind other) {
  const std::string& words = kind->kind;
  const std::size_t last = words.rfind(kOver);
  const std::string wrappers = last == words.npos ? "" : words.substr(0, last + kOver.size());
  const auto found = find_store(wrappers + other->kind);
  return found ? std::optional(*found) : std::nullopt;
}

bool is_or_wraps(std::string_view words, std::string_view kind) {
  while (!words.empty()) {
    const std::size_t over = words.find(kOver);
    if (words.substr(0, over) == kind) return true;
    words = over == words.npos ? std::string_view() : words.substr(over + kOver.size());
  }
  return false;
}

namespace {

Json& adapters_of_strangers() {
  static Json list = Json::array();
  return list;
}

}  // namespace

Result<void> add_adapters(const Json& list) {
  if (!list.is_array()) return bad_input("adapters are a list");
  for (const Json& entry : list) {
    if (auto added = registry().add(entry); !added) return added;
    adapters_of_strangers().push_back(entry);
  }
  return {};
}

Json added_adapters() { return adapters_of_strangers(); }

}  // namespace storefuzz
