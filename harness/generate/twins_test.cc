// A twin does the same over another kind of store, or there is none.
#include "harness/generate/twins.h"

#include <gtest/gtest.h>

#include "harness/generate/generate.h"

namespace storefuzz::program {
namespace {

std::vector<std::string> kinds_of_twins(const std::string& text, const std::string& stores) {
  const auto value = parse_case(text);
  if (!value) ADD_FAILURE() << value.error().message;
  std::vector<std::string> kinds;
  for (const Case& twin : twins_of(*value, parse_stores(stores).value()))
    kinds.push_back(kind_of(twin, "s0").value()->kind);
  return kinds;
}

using Words = std::vector<std::string>;

TEST(Twins, AreOfEachKindThatCanDoTheSame) {
  const std::string all = "zip,zip file,local,memory,fsspec zip,logging";
  EXPECT_EQ(kinds_of_twins(R"({"format":2,"program":[{"make":"local","at":"f","as":"s0"}]})", all),
            (Words{"zip", "zip file", "memory"}));
  // What lies there before lies on a disk.
  EXPECT_EQ(kinds_of_twins(R"({"format":2,"before":{"f":{"entries":[{"key":"a","value":"a@0"}]}},
                "program":[{"make":"local","at":"f","as":"s0"}]})",
                           all),
            (Words{"zip", "zip file"}));
  // Only who has such a mode empties a place.
  EXPECT_EQ(kinds_of_twins(
                R"({"format":2,"program":[{"make":"zip","at":"z","mode":"w","as":"s0"}]})", all),
            (Words{"zip file"}));
  EXPECT_EQ(kinds_of_twins(R"({"format":2,"program":[{"make":"memory","as":"s0"}]})", all),
            (Words{"zip", "zip file", "local"}));
  // A kind that never writes is asked what others answer.
  EXPECT_EQ(kinds_of_twins(R"({"format":2,"before":{"z":{"entries":[{"key":"a","value":"a@0"}]}},
                "program":[{"make":"fsspec zip","at":"z","as":"s0"}]})",
                           all),
            (Words{"zip", "zip file", "local"}));
  EXPECT_EQ(kinds_of_twins(R"({"format":2,"program":[{"make":"logging over local","at":"f",
                "as":"s0"}]})",
                           "memory"),
            Words{"logging over memory"});
}

TEST(Twins, OfAFolderThatCannotHoldTheKeysThereAreNone) {
  const std::string clash = R"({"format":2,"before":{"z":{"entries":[
      {"key":"a","value":"a@0"},{"key":"a/b","value":"a/b@0"}]}},
    "program":[{"make":"zip","at":"z","as":"s0"}]})";
  EXPECT_EQ(kinds_of_twins(clash, "local,zip file"), Words{"zip file"});
}

TEST(Twins, OnADiskWhatOneProcessSharesHasOnePlaceAndEachObjectItsOwn) {
  const auto places = [](const std::string& kind) {
    const std::string make = R"({"make":")" + kind + R"(",)";
    const auto value =
        parse_case(R"({"format":2,"processes":{"p1":"spawn"},"program":[)" + make +
                   R"("as":"s0"},)" + make + R"("as":"s1"},)" + make + R"("in":"p1","as":"s2"}]})");
    Words all;
    const std::vector<Case> twins = twins_of(value.value(), parse_stores("local").value());
    for (const Step& step : twins.at(0).steps) all.push_back(std::get<Make>(step).at);
    return all;
  };
  EXPECT_EQ(places("fsspec memory"), (Words{"p0", "p0", "p1"}));
  EXPECT_EQ(places("memory"), (Words{"s0", "s1", "s2"}));
}

TEST(Twins, ReadOnlyStaysReadOnly) {
  const auto twin = [](const std::string& make, const std::string& store) {
    const auto value = parse_case(R"({"format":2,"program":[)" + make + "]}").value();
    return std::get<Make>(twins_of(value, parse_stores(store).value()).at(0).steps[0]);
  };
  EXPECT_EQ(twin(R"({"make":"zip","at":"z","mode":"r","as":"s0"})", "local").read_only, true);
  EXPECT_EQ(twin(R"({"make":"local","at":"f","read_only":true,"as":"s0"})", "zip").mode,
            Mode::kRead);
  EXPECT_EQ(twin(R"({"make":"fsspec zip","at":"z","as":"s0"})", "local").read_only, true);
  EXPECT_EQ(twin(R"({"make":"fsspec zip","at":"z","as":"s0"})", "zip").mode, Mode::kRead);
}

TEST(Twins, OfDrawnProgramsHaveTheSameStepsOnTheSameHandles) {
  const Stores stores = parse_stores("zip,local,memory,managed memory").value();
  std::size_t count = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::vector<std::byte> bytes(200);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>((seed * 7919 + i * 104729 + (i * i * seed)) >> 3);
    const Case value = generate_program(bytes, stores);
    for (const Case& twin : twins_of(value, stores)) {
      ++count;
      ASSERT_EQ(twin.steps.size(), value.steps.size());
      for (std::size_t step = 0; step < value.steps.size(); ++step)
        if (const auto* call = std::get_if<Call>(&value.steps[step])) {
          const auto& other = std::get<Call>(twin.steps[step]);
          EXPECT_TRUE(call->op == other.op && call->on == other.on && call->key == other.key);
        }
      Case again = twin;
      fit(again);
      EXPECT_EQ(again, twin);
    }
  }
  EXPECT_GT(count, 100U);
}

}  // namespace
}  // namespace storefuzz::program
