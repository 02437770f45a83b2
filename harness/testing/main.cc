// The main function of the test programs: they run the tests of one file, or those of a filter.
//
// To start a process, read the adapters and start an interpreter costs more than most tests do, so
// ctest has an entry a file, and a process runs all tests of the file. All files in one process
// would disturb each other: a test that adds an adapter changes what later tests generate.
//
//     storefuzz_test harness/zip/archive_test.cc
//     storefuzz_test --gtest_filter='Archive.*'
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

// The filter that picks the tests of a file; empty: the file has none.
std::string tests_of(std::string_view file) {
  const std::string end = "/" + std::string(file);
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  std::string filter;
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const testing::TestInfo& test = *suite.GetTestInfo(j);
      if (std::string_view(test.file()).ends_with(end))
        filter += std::string(suite.name()) + "." + test.name() + ":";
    }
  }
  return filter;
}

}  // namespace

int main(int count, char** arguments) {
  testing::InitGoogleTest(&count, arguments);
  if (count < 2 && testing::GTEST_FLAG(filter) == "*" && !testing::GTEST_FLAG(list_tests)) {
    std::fprintf(stderr, "Name a file of tests, or some tests by --gtest_filter.\n");
    return 2;
  }
  if (count > 1) {
    const std::string filter = tests_of(arguments[1]);
    if (filter.empty()) {
      std::fprintf(stderr, "There is no test in %s.\n", arguments[1]);
      return 2;
    }
    testing::GTEST_FLAG(filter) = filter;
  }
  return RUN_ALL_TESTS();
}
