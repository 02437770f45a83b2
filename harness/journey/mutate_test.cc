// A mutation is a typed step: it never leaves the possible cases, and steps lead everywhere.
#include "harness/journey/mutate.h"

#include <gtest/gtest.h>

#include "harness/testing/sound_world.h"

namespace storefuzz {
namespace {

// From the plainest case, chains of mutations reach every value within this many steps; see below.
constexpr unsigned kSteps = 4000;

bool is_possible(const Case& value) { return test::is_normalised(value) && within_bounds(value); }

TEST(Mutate, TheResultIsAlwaysNormalisedAndWithinBounds) {
  Case value = generate_case({});
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    value = mutate_case(value, test::random_bytes(seed, seed % 200), test::kListed);
    ASSERT_TRUE(is_possible(value)) << "seed " << seed << ": " << to_text(value);
  }
}

TEST(Mutate, TheSameBytesGiveTheSameCase) {
  const Case value = test::plain_case();
  for (unsigned seed = 0; seed < 1000; ++seed) {
    const auto bytes = test::random_bytes(seed, 100);
    ASSERT_EQ(mutate_case(value, bytes, test::kListed), mutate_case(value, bytes, test::kListed));
  }
}

TEST(Mutate, ACaseThatIsFullStaysWithinItsBounds) {
  Case full = test::plain_case();
  full.lifecycle = Lifecycle::kOpen;
  full.operations.assign(kMaxOperations, {.what = What::kSet, .entry = {"k", "0123456789", 4096}});
  for (std::size_t i = full.archive->entries.size(); i < kMaxEntries; ++i)
    full.archive->entries.push_back(
        {.key = "k" + std::to_string(i), .value = "0123456789abcdef", .repeat = 1600});
  normalise(full);
  ASSERT_TRUE(within_bounds(full));
  for (unsigned seed = 0; seed < 5000; ++seed)
    ASSERT_TRUE(is_possible(mutate_case(full, test::random_bytes(seed, 100), test::kListed)));
}

TEST(Mutate, MostMutationsChangeSomethingAndManyKeepTheRest) {
  const Case value = test::plain_case();
  int changed = 0;
  int archive_kept = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const Case next = mutate_case(value, test::random_bytes(seed, 100), {test::kZip});
    changed += next != value;
    archive_kept += next.archive == value.archive;
  }
  EXPECT_GT(changed, 1600);
  EXPECT_GT(archive_kept, 500);
}

TEST(Mutate, WithoutTheLocalStoreNoneIsMade) {
  Case value = test::plain_case();
  for (unsigned seed = 0; seed < 2000; ++seed) {
    value = mutate_case(value, test::random_bytes(seed, 100), {test::kZip});
    ASSERT_EQ(value.store, test::kZip);
  }
}

template <class Enum>
void expect_all(const std::set<Enum>& seen, const char* what) {
  for (const Enum word : all_of<Enum>())
    EXPECT_TRUE(seen.contains(word)) << what << " never is " << name_of(word);
}

TEST(Mutate, FromThePlainestCaseEveryValueIsReached) {
  for (unsigned run = 0; run < 5; ++run) {
    std::set<std::string> stores;
    std::set<Cargo> cargos;
    std::set<Meanwhile> meanwhiles;
    std::set<Surroundings> surroundings;
    std::set<bool> twice, twin;
    std::set<Mode> modes;
    std::set<Compression> compressions;
    std::set<Lifecycle> lifecycles;
    std::set<Warmth> warmths;
    std::set<Driver> drivers;
    std::set<LookGroup> looks;
    std::set<Carrier> carriers;
    std::set<Transport> transports;
    std::set<ComesBack> returns;
    std::set<What> operations;
    std::set<std::optional<bool>> read_only;
    std::set<bool> relative;
    std::set<bool> zip64;
    std::size_t longest = 0;
    Case value = generate_case({});
    for (unsigned step = 0; step < kSteps; ++step) {
      value = mutate_case(value, test::random_bytes(run * 100'000 + step, 100), test::kListed);
      stores.insert(value.store->kind.substr(0, value.store->kind.find(" over ")));
      cargos.insert(value.cargo);
      meanwhiles.insert(value.meanwhile);
      surroundings.insert(value.surroundings);
      twice.insert(value.twice);
      twin.insert(value.twin);
      modes.insert(value.constructor.mode);
      compressions.insert(value.constructor.compression);
      if (value.store == test::kZip) read_only.insert(value.constructor.read_only);
      relative.insert(value.constructor.relative_path);
      zip64.insert(value.constructor.allow_zip64);
      lifecycles.insert(value.lifecycle);
      warmths.insert(value.parent);
      drivers.insert(value.driver);
      looks.insert(value.looks.begin(), value.looks.end());
      carriers.insert(value.carrier);
      transports.insert(value.transport);
      returns.insert(value.comes_back);
      for (const Operation& operation : value.operations) operations.insert(operation.what);
      longest = std::max(longest, value.operations.size());
    }
    SCOPED_TRACE(run);
    for (const StoreKind it : test::kListed)
      EXPECT_TRUE(stores.contains(it->kind)) << "store never is " << it->kind;
    expect_all(cargos, "cargo");
    expect_all(meanwhiles, "meanwhile");
    expect_all(surroundings, "surroundings");
    EXPECT_EQ(twice.size(), 2);
    EXPECT_EQ(twin.size(), 2);
    expect_all(modes, "mode");
    expect_all(compressions, "compression");
    expect_all(lifecycles, "lifecycle");
    expect_all(warmths, "parent");
    expect_all(drivers, "driver");
    expect_all(looks, "looks");
    expect_all(carriers, "carrier");
    expect_all(transports, "transport");
    expect_all(returns, "comes_back");
    expect_all(operations, "operation");
    EXPECT_EQ(read_only.size(), 3);
    EXPECT_EQ(relative.size(), 2);
    EXPECT_EQ(zip64.size(), 2);
    EXPECT_GT(longest, 3) << "no story is longer than the generator's";
  }
}

// Steps to a neighbour, not cases drawn afresh: only one thing is different.
TEST(Mutate, EveryPartCanChangeWithoutTheOthers) {
  Case value = test::plain_case();
  value.store = test::kZip;
  value.transport = Transport::kSpawn;
  value.lifecycle = Lifecycle::kOpen;
  value.operations = {{.what = What::kList}};
  std::vector<Case> neighbours;
  for (unsigned seed = 0; seed < 20'000; ++seed)
    neighbours.push_back(mutate_case(value, test::random_bytes(seed, 100), test::kListed));
  const auto expect_alone = [&](const char* what, auto part) {
    EXPECT_TRUE(std::ranges::any_of(neighbours, [&](const Case& next) {
      Case back = next;
      part(back) = part(value);
      return next != value && back == value;
    })) << what;
  };
  expect_alone("archive", [](Case& it) -> auto& { return it.archive; });
  expect_alone("path", [](Case& it) -> auto& { return it.constructor.relative_path; });
  expect_alone("mode", [](Case& it) -> auto& { return it.constructor.mode; });
  expect_alone("read_only", [](Case& it) -> auto& { return it.constructor.read_only; });
  expect_alone("compression", [](Case& it) -> auto& { return it.constructor.compression; });
  expect_alone("allowZip64", [](Case& it) -> auto& { return it.constructor.allow_zip64; });
  expect_alone("operations", [](Case& it) -> auto& { return it.operations; });
  expect_alone("lifecycle", [](Case& it) -> auto& { return it.lifecycle; });
  expect_alone("parent", [](Case& it) -> auto& { return it.parent; });
  expect_alone("driver", [](Case& it) -> auto& { return it.driver; });
  expect_alone("looks", [](Case& it) -> auto& { return it.looks; });
  expect_alone("carrier", [](Case& it) -> auto& { return it.carrier; });
  expect_alone("transport", [](Case& it) -> auto& { return it.transport; });
  expect_alone("comes_back", [](Case& it) -> auto& { return it.comes_back; });
  expect_alone("twice", [](Case& it) -> auto& { return it.twice; });
  expect_alone("cargo", [](Case& it) -> auto& { return it.cargo; });
  expect_alone("meanwhile", [](Case& it) -> auto& { return it.meanwhile; });
  expect_alone("surroundings", [](Case& it) -> auto& { return it.surroundings; });
  expect_alone("twin", [](Case& it) -> auto& { return it.twin; });
  expect_alone("store", [](Case& it) -> auto& { return it.store; });
}

TEST(Cross, TheResultIsPossibleAndMadeOfItsParents) {
  for (unsigned seed = 0; seed < 5000; ++seed) {
    const Case left = test::random_case(seed);
    const Case right = test::random_case(seed + 1'000'000);
    const Case mixed = cross_cases(left, right, test::random_bytes(seed, 16));
    ASSERT_TRUE(is_possible(mixed)) << to_text(mixed);
    ASSERT_EQ(mixed, cross_cases(left, right, test::random_bytes(seed, 16)));
    ASSERT_TRUE(mixed.store == left.store || mixed.store == right.store);
    ASSERT_TRUE(mixed.carrier == left.carrier || mixed.carrier == right.carrier);
    ASSERT_TRUE(mixed.cargo == left.cargo || mixed.cargo == right.cargo ||
                mixed.cargo == Cargo::kStore);
    ASSERT_TRUE(mixed.twin == left.twin || mixed.twin == right.twin);
  }
}

// A new member that is forgotten here would never be bred.
TEST(Cross, EveryPartOfTheOtherCaseCanBeInherited) {
  const Case left = test::plain_case();
  Case right = left;
  right.transport = Transport::kFork;
  right.carrier = Carrier::kCloudpickle;
  right.twice = right.twin = true;
  right.cargo = Cargo::kDict;
  right.meanwhile = Meanwhile::kCloses;
  right.surroundings = Surroundings::kOtherConfig;
  right.comes_back = ComesBack::kGrandchild;
  normalise(right);
  Case both = left;
  for (unsigned seed = 0; seed < 200; ++seed) {
    const Case mixed = cross_cases(left, right, test::random_bytes(seed, 16));
    if (mixed.carrier != left.carrier) {
      EXPECT_TRUE(mixed.twice);
      EXPECT_EQ(mixed.cargo, Cargo::kDict);
      EXPECT_EQ(mixed.comes_back, ComesBack::kGrandchild);
    }
    if (mixed == right) both = mixed;
  }
  EXPECT_EQ(both, right);
}

TEST(Cross, ACaseCrossedWithItselfIsItself) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const Case value = test::random_case(seed);
    ASSERT_EQ(cross_cases(value, value, test::random_bytes(seed, 16)), value);
  }
}

}  // namespace
}  // namespace storefuzz
