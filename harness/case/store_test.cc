// Stores are data: a word names one or a chain of wrappers, and an adapter that is wrong is told in
// one sentence.
#include "harness/case/store.h"

#include <gtest/gtest.h>

#include "harness/base/paths.h"
#include "harness/testing/shared.h"

namespace storefuzz {
namespace {

using test::store;

// --- words

TEST(Store, TheFirstOfTheListIsTheOneUnlessSaidOtherwise) {
  EXPECT_EQ(StoreKind(), all_stores().front());
  EXPECT_EQ(StoreKind()->kind, "zip");
}

TEST(Store, EveryOneIsFoundByItsOwnWord) {
  std::set<std::string> words;
  for (const StoreKind kind : all_stores()) {
    EXPECT_TRUE(words.insert(kind->kind).second) << kind->kind;
    const auto found = find_store(kind->kind);
    ASSERT_TRUE(found.has_value()) << found.error().message;
    EXPECT_EQ(*found, kind);
    EXPECT_EQ(name_of(kind), kind->kind);
    EXPECT_EQ(kind->inner, nullptr);
  }
}

TEST(Store, OfIssueFourAreAllThere) {
  for (const char* word :
       {"zip", "zip file", "local", "directory", "memory", "managed memory", "fsspec local",
        "fsspec memory", "fsspec zip", "object local", "object memory", "logging", "wrapper",
        "cache", "path", "icechunk", "manifest"})
    EXPECT_TRUE(find_store(word).has_value()) << word;
}

TEST(Store, AWrapperTakesAfterWhatItWraps) {
  const StoreKind whole = store("logging over zip");
  const StoreKind inner = store("zip");
  EXPECT_EQ(whole->kind, "logging over zip");
  EXPECT_EQ(whole->type, "LoggingStore");
  EXPECT_EQ(whole->medium, inner->medium);
  EXPECT_EQ(whole->shared, inner->shared);
  EXPECT_EQ(whole->arguments, inner->arguments);
  EXPECT_EQ(whole->writes, inner->writes);
  EXPECT_EQ(whole->deletes, inner->deletes);
  EXPECT_EQ(whole->any_key, inner->any_key);
  EXPECT_EQ(whole->files, inner->files);
  EXPECT_EQ(whole->inner, inner.operator->());
  EXPECT_FALSE(whole->wraps);
  EXPECT_EQ(whole->make.find("{inner}"), std::string::npos);
  EXPECT_NE(whole->make.find(inner->make), std::string::npos);
  EXPECT_FALSE(store("cache over fsspec zip")->writes);
  EXPECT_EQ(store("wrapper over managed memory")->shared, Shared::kProcess);
  EXPECT_EQ(store("wrapper over managed memory")->clean, store("managed memory")->clean);
}

// A cache stays one below other wrappers, and a chain views read-only where each of it does.
TEST(Store, AChainCachesWhereOneOfItDoesAndViewsWhereAllDo) {
  EXPECT_TRUE(store("cache over memory")->caches);
  EXPECT_TRUE(store("logging over cache over memory")->caches);
  EXPECT_FALSE(store("logging over memory")->caches);
  EXPECT_EQ(store("logging over local")->views, Can::kYes);
  EXPECT_EQ(store("logging over zip")->views, Can::kMay);
  EXPECT_EQ(store("cache over zip")->views, Can::kMay);
  EXPECT_EQ(store("cache over local")->views, Can::kYes);
}

TEST(Store, AWrapperWaitsWhereWhatItWrapsDoes) {
  EXPECT_FALSE(store("logging over memory")->waits);
  EXPECT_TRUE(store("logging over local")->waits);
  EXPECT_TRUE(store("path over wrapper over icechunk")->waits);
}

TEST(Store, AWrapperBringsItsImportsAndItsInterface) {
  const auto imports = store("cache over object memory")->imports;
  EXPECT_EQ(imports, (std::vector<std::string>{"import zarr.experimental.cache_store",
                                               "import obstore.store"}));
  EXPECT_EQ(store("path over zip")->interface, "zarr 3 path");
  EXPECT_EQ(store("logging over zip")->interface, "");
}

TEST(Store, WrappersCompose) {
  const StoreKind whole = store("logging over wrapper over cache over path over local");
  EXPECT_EQ(whole->type, "LoggingStore");
  std::vector<std::string> chain;
  for (const Adapter* it = whole.operator->(); it; it = it->inner) chain.push_back(it->type);
  EXPECT_EQ(chain, (std::vector<std::string>{"LoggingStore", "WrapperStore", "CacheStore",
                                             "StorePath", "LocalStore"}));
}

TEST(Store, TheSameChainIsTheSameStore) {
  const StoreKind one = store("logging over wrapper over local");
  const StoreKind other = over(store("logging"), over(store("wrapper"), store("local")));
  EXPECT_EQ(one, other);
  EXPECT_EQ(one.operator->(), other.operator->());
  EXPECT_NE(one, store("wrapper over logging over local"));
  EXPECT_NE(one < other, true);
}

// Composed on demand, and not one more in the list.
TEST(Store, WhatIsComposedIsNotListed) {
  const std::size_t before = all_stores().size();
  std::ignore = store("cache over logging over memory");
  EXPECT_EQ(all_stores().size(), before);
}

TEST(Store, AWordThatIsNoneIsOneSentence) {
  const std::pair<std::string, const char*> wrong[] = {
      {"", "no store \"\""},
      {"zap", "no store \"zap\""},
      {"ZIP", "no store \"ZIP\""},
      {" zip", "no store \" zip\""},
      {"zip ", "no store"},
      {"logging over zap", "no store \"zap\""},
      {"zap over zip", "no store \"zap\""},
      {"logging over ", "no store \"\""},
      {" over zip", "no store \"\""},
      {"logging over over zip", "no store \"over zip\""},
      {"zip over local", "zip is no wrapper"},
      {"logging over zip over local", "zip is no wrapper"},
      {"wrapper over wrapper over wrapper over wrapper over wrapper over zip", "at most 4"},
      {std::string(200'000, 'x'), "no store"},
  };
  for (const auto& [word, named] : wrong) {
    const auto found = find_store(word);
    ASSERT_FALSE(found.has_value()) << word.substr(0, 60);
    EXPECT_EQ(found.error().code, ExitCode::kBadInput);
    EXPECT_NE(found.error().message.find(named), std::string::npos) << found.error().message;
    EXPECT_LT(found.error().message.size(), 120);
  }
  std::string deep = "zip";
  for (int i = 0; i < 4; ++i) deep = "wrapper over " + deep;
  EXPECT_TRUE(find_store(deep).has_value());
}

// --- adapters

Json adapter(const char* kind) {
  return {{"kind", kind}, {"type", "StrangeStore"}, {"make", "strange.StrangeStore({path})"}};
}

TEST(Adapters, OfAStrangerAreStoresLikeOurs) {
  Json about = adapter("strange");
  about.update({{"about", "A stranger's."},
                {"imports", {"import strange"}},
                {"arguments", {"read_only"}},
                {"clean", "strange.forget()"},
                {"before", "strange.wake()"},
                {"interface", "zarr 3 path"},
                {"file", "strange.py"},
                {"dictionary", "strangers"},
                {"prefix", "s"},
                {"clears", "may"},
                {"views", "yes"},
                {"caches", true},
                {"make", "strange.StrangeStore({arguments})"},
                {"medium", "memory"},
                {"shared", "process"},
                {"writes", false},
                {"deletes", false},
                {"waits", false},
                {"any key", true},
                {"files", true},
                {"opens", true},
                {"listed", false}});
  const std::size_t drawn = parse_stores("all").value().size();
  ASSERT_TRUE(add_adapters(Json::array({about})).has_value());
  const StoreKind kind = store("strange");
  EXPECT_EQ(kind->type, "StrangeStore");
  EXPECT_EQ(kind->imports, std::vector<std::string>{"import strange"});
  EXPECT_TRUE(kind->takes("read_only"));
  EXPECT_FALSE(kind->takes("mode"));
  EXPECT_EQ(kind->clean, "strange.forget()");
  EXPECT_EQ(kind->before, "strange.wake()");
  EXPECT_EQ(kind->interface, "zarr 3 path");
  EXPECT_EQ(kind->file, "strange.py");
  EXPECT_EQ(kind->dictionary, "strangers");
  EXPECT_EQ(kind->prefix, "s");
  EXPECT_EQ(kind->clears, Can::kMay);
  EXPECT_EQ(kind->views, Can::kYes);
  EXPECT_TRUE(kind->caches);
  EXPECT_EQ(kind->medium, Medium::kMemory);
  EXPECT_EQ(kind->shared, Shared::kProcess);
  EXPECT_FALSE(kind->writes || kind->deletes || kind->waits || kind->listed || kind->wraps);
  EXPECT_TRUE(kind->any_key && kind->files && kind->opens);
  EXPECT_EQ(store("logging over strange")->file, "strange.py");
  EXPECT_EQ(parse_stores("all").value().size(), drawn) << "it is not drawn unless it is named";
  EXPECT_TRUE(find_store("wrapper over strange").has_value());
}

TEST(Adapters, WhatIsNotSaidIsUsual) {
  ASSERT_TRUE(add_adapters(Json::array({adapter("usual")})).has_value());
  const StoreKind kind = store("usual");
  EXPECT_EQ(kind->medium, Medium::kFolder);
  EXPECT_EQ(kind->shared, Shared::kPlace);
  EXPECT_TRUE(kind->writes && kind->deletes && kind->waits && kind->listed && !kind->opens);
  EXPECT_EQ(kind->clears, Can::kYes);
  EXPECT_EQ(kind->views, Can::kMay);
  EXPECT_FALSE(kind->caches);
  EXPECT_FALSE(kind->any_key || kind->files || kind->wraps);
  EXPECT_TRUE(kind->arguments.empty() && kind->imports.empty());
}

// What a store keeps in a layout of its own lies on disk, as its path says.
TEST(Adapters, WhoseContentNobodyElseReadsAreOpaque) {
  Json about = adapter("of its own layout");
  about["opaque"] = true;
  ASSERT_TRUE(add_adapters(Json::array({about})).has_value());
  EXPECT_TRUE(store("of its own layout")->opaque);
  EXPECT_EQ(store("of its own layout")->medium, Medium::kFolder);
  EXPECT_TRUE(store("logging over of its own layout")->opaque);
  EXPECT_FALSE(store("logging over local")->opaque);
}

TEST(Adapters, ThatNameAnInnerStoreAreWrappers) {
  Json about = adapter("around");
  about["make"] = "strange.Around({inner})";
  about["file"] = "around.py";
  ASSERT_TRUE(add_adapters(Json::array({about})).has_value());
  EXPECT_TRUE(store("around")->wraps);
  EXPECT_EQ(store("around over memory")->make,
            "strange.Around(zarr.storage.MemoryStore({arguments}))");
  EXPECT_EQ(store("around over memory")->file, "around.py");
}

TEST(Adapters, WhatIsWrongIsOneSentenceAndNothingIsAdded) {
  const std::size_t before = all_stores().size();
  const auto expect_refused = [&](const Json& list, std::string_view named) {
    const auto added = add_adapters(list);
    ASSERT_FALSE(added.has_value()) << list;
    const std::string& told = added.error().message;
    EXPECT_EQ(added.error().code, ExitCode::kBadInput) << told;
    EXPECT_NE(told.find(named), told.npos) << told;
    EXPECT_EQ(told.find('\n'), told.npos) << told;
    EXPECT_EQ(told.find("\"\""), told.npos) << "quoted twice: " << told;
    EXPECT_LT(told.size(), 200) << told;
    EXPECT_EQ(all_stores().size(), before) << told;
  };
  expect_refused(Json::object(), "a list");
  expect_refused("zip", "a list");
  expect_refused(Json::array({7}), "no object");
  expect_refused(Json::array({adapter("zip")}), "\"zip\" already");
  const auto expect_wrong = [&](const char* member, const Json& value, std::string_view named) {
    Json about = adapter("odd");
    about[member] = value;
    if (value.is_null()) about.erase(member);
    expect_refused(Json::array({about}), named);
  };
  for (const char* member : {"kind", "type", "make"}) {
    expect_wrong(member, nullptr, member);
    expect_wrong(member, "", member);
    expect_wrong(member, 7, member);
    expect_wrong(member, Json::array({"a"}), member);
  }
  for (const char* member : {"clean", "before", "interface", "file", "dictionary", "prefix"})
    expect_wrong(member, 7, member);
  for (const char* member : {"imports", "arguments"}) {
    expect_wrong(member, "import os", member);
    expect_wrong(member, Json::array({7}), member);
  }
  for (const char* member :
       {"writes", "deletes", "waits", "any key", "files", "listed", "opens", "deletes folders",
        "zarr keys", "caches", "forgets", "opaque", "threads"})
    expect_wrong(member, "yes", member);
  expect_wrong("medium", "tape", "\"medium\"");
  expect_wrong("medium", 7, "\"medium\"");
  expect_wrong("medium", "memory", "say \"opaque\": true");
  Json archive = adapter("odd");
  archive.update({{"medium", "zip"}, {"opaque", true}});
  expect_refused(Json::array({archive}), "opaque");
  expect_wrong("shared", "nobody", "\"shared\"");
  expect_wrong("clears", "perhaps", "\"clears\"");
  expect_wrong("views", true, "\"views\"");
  expect_wrong("arguments", Json::array({"mode", "colour"}), "\"colour\"");
  expect_wrong("colour", "red", "unknown member \"colour\"");
  expect_wrong("any_key", true, "unknown member \"any_key\"");
  expect_wrong("kind", "odd over zip", "over");
  expect_wrong("kind", "odd,zip", "comma");
}

TEST(Adapters, WhatAWrapperAndItsStoreLeaveInTheProcessIsBothForgotten) {
  const StoreKind both = store("logging over managed memory");
  EXPECT_NE(both->clean.find("LoggingStore"), std::string::npos) << both->clean;
  EXPECT_NE(both->clean.find("ManagedMemoryStore"), std::string::npos) << both->clean;
  EXPECT_EQ(store("wrapper over managed memory")->clean, store("managed memory")->clean);
  EXPECT_EQ(store("logging over local")->clean, store("logging")->clean);
}

// A word that is taken would hide a store; so would "all", and a word that is none.
TEST(Adapters, AWordIsTakenOnce) {
  ASSERT_TRUE(add_adapters(Json::array({adapter("once")})).has_value());
  EXPECT_FALSE(add_adapters(Json::array({adapter("once")})).has_value());
  EXPECT_FALSE(add_adapters(Json::array({adapter("all")})).has_value())
      << "--stores all would never mean it";
}

TEST(Adapters, OfOursAreComplete) {
  const Json ours = Json::parse(test::read_file(reference_folder() + "/stores.json"));
  for (const Json& about : ours["stores"]) {
    const StoreKind kind = store(about["kind"].get<std::string>());
    const bool inner = kind->make.find("{inner}") != std::string::npos;
    EXPECT_EQ(kind->wraps, inner) << kind->kind;
    // What lies at a place is told that place; what takes arguments has room for them.
    if (kind->shared == Shared::kPlace && !kind->wraps)
      EXPECT_NE(kind->make.find(kind->served ? "{server}" : "{path}"), std::string::npos)
          << kind->kind;
    EXPECT_EQ(kind->arguments.empty(), kind->make.find("{arguments}") == std::string::npos)
        << kind->kind;
    if (kind->medium == Medium::kMemory) EXPECT_NE(kind->shared, Shared::kPlace) << kind->kind;
    if (kind->shared == Shared::kProcess)
      EXPECT_FALSE(kind->clean.empty()) << kind->kind << ": one case would see another's content";
    EXPECT_EQ(kind->make.find('\n'), std::string::npos) << kind->kind;
  }
}

}  // namespace
}  // namespace storefuzz
