# Every test and benchmark, under ctest. Included when STOREFUZZ_TESTS is ON; CMakeLists.txt has what
# is tested.
#
#   label fast    unit tests of C++, one ctest entry each
#   label python  pytest and ruff; once is enough, so not in the sanitized build
#   label bench   each benchmark runs for a moment, to see that it still runs; nothing is timed
#
# Tests of whole runs stand in tests_e2e.cmake.
include(GoogleTest)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)

# What every C++ test's environment has; tests_e2e.cmake may use it too.
set(STOREFUZZ_TEST_ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")

# --- unit tests: a file beside its code is all a test needs ---------------------------------------
file(GLOB unit_tests CONFIGURE_DEPENDS harness/*_test.cc harness/readers/*_test.cc
     harness/zip/*_test.cc)
list(FILTER unit_tests EXCLUDE REGEX "_e2e_test\\.cc$")
add_executable(storefuzz_test ${unit_tests})
target_link_libraries(storefuzz_test PRIVATE storefuzz_command storefuzz_readers GTest::gtest_main)
add_dependencies(storefuzz_test storefuzz-reader)  # started by the tests of the panel
target_precompile_headers(storefuzz_test REUSE_FROM storefuzz_core)
gtest_discover_tests(storefuzz_test DISCOVERY_MODE PRE_TEST
                     PROPERTIES LABELS fast TIMEOUT 120
                                ENVIRONMENT "${STOREFUZZ_TEST_ENVIRONMENT}")

# Our own reader and writer of zip files, a little of what its target does for hours elsewhere.
add_test(NAME zip_layout_target COMMAND zip_layout -runs=20000 -seed=1 -max_len=65536 -timeout=60)
set_tests_properties(zip_layout_target PROPERTIES LABELS fast TIMEOUT 300)

# --- benchmarks -----------------------------------------------------------------------------------
file(GLOB benchmarks CONFIGURE_DEPENDS harness/*_benchmark.cc harness/zip/*_benchmark.cc)
list(FILTER benchmarks EXCLUDE REGEX "journey_benchmark\\.cc$")
add_executable(storefuzz_benchmark ${benchmarks})
target_link_libraries(storefuzz_benchmark PRIVATE storefuzz_core benchmark::benchmark_main)

# A program of its own, because it loads Python.
add_executable(storefuzz_journey_benchmark harness/journey_benchmark.cc)
target_link_libraries(storefuzz_journey_benchmark
                      PRIVATE storefuzz_parent storefuzz_command benchmark::benchmark)

add_executable(storefuzz_readers_benchmark harness/readers/readers_benchmark.cc)
target_link_libraries(storefuzz_readers_benchmark PRIVATE storefuzz_command benchmark::benchmark)
add_dependencies(storefuzz_readers_benchmark storefuzz-reader)

foreach(benchmark storefuzz_benchmark storefuzz_journey_benchmark storefuzz_readers_benchmark)
  add_test(NAME ${benchmark} COMMAND ${benchmark} --benchmark_min_time=0.001)
  set_tests_properties(${benchmark} PROPERTIES LABELS bench TIMEOUT 300 RUN_SERIAL ON
                       SKIP_REGULAR_EXPRESSION "^skipped: "
                       ENVIRONMENT "${STOREFUZZ_TEST_ENVIRONMENT}")
endforeach()

# --- Python ---------------------------------------------------------------------------------------
if(NOT STOREFUZZ_SANITIZE)
  file(GLOB python_tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
       reference/*_test.py reference/readers/*_test.py reports/*_test.py scripts/*_test.py)
  foreach(file ${python_tests})
    add_test(NAME ${file} COMMAND ${STOREFUZZ_PYTHON} -m pytest -p no:cacheprovider -q ${file}
             WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${file} PROPERTIES LABELS python TIMEOUT 900
                         ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
  endforeach()
  add_test(NAME ruff_check COMMAND ${STOREFUZZ_PYTHON} -m ruff check --no-cache .
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  add_test(NAME ruff_format COMMAND ${STOREFUZZ_PYTHON} -m ruff format --check --no-cache .
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(ruff_check ruff_format PROPERTIES LABELS python TIMEOUT 60)
endif()

include(tests_e2e.cmake OPTIONAL)
