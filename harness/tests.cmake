# Every test and benchmark, under ctest. Included when STOREFUZZ_TESTS is ON; CMakeLists.txt has what
# is tested.
#
#   label fast    unit tests of C++, one ctest entry each
#   label python  pytest and ruff; once is enough, so not in the sanitized build
#   label bench   each benchmark runs for a moment, to see that it still runs; nothing is timed
#
include(GoogleTest)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)

# What every C++ test's environment has.
set(STOREFUZZ_TEST_ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")

# --- unit tests: a file beside its code is all a test needs
file(GLOB unit_tests CONFIGURE_DEPENDS harness/*/*_test.cc)
list(FILTER unit_tests EXCLUDE REGEX "_e2e_test\\.cc$")
add_executable(storefuzz_test ${unit_tests})
target_link_libraries(storefuzz_test PRIVATE storefuzz_archives GTest::gtest_main)
add_dependencies(storefuzz_test storefuzz-reader)  # started by the tests of the panel
target_precompile_headers(storefuzz_test REUSE_FROM storefuzz_base)
gtest_discover_tests(storefuzz_test DISCOVERY_MODE PRE_TEST
                     PROPERTIES LABELS fast TIMEOUT 120
                                ENVIRONMENT "${STOREFUZZ_TEST_ENVIRONMENT}")

# Our own reader and writer of zip files, a little of what its target does for hours elsewhere.
set_target_properties(zip_layout PROPERTIES EXCLUDE_FROM_ALL OFF)
add_test(NAME zip_layout_target COMMAND zip_layout -runs=20000 -seed=1 -max_len=65536 -timeout=60)
set_tests_properties(zip_layout_target PROPERTIES LABELS fast TIMEOUT 300)

# --- benchmarks
file(GLOB benchmarks CONFIGURE_DEPENDS harness/*/*_benchmark.cc)
list(FILTER benchmarks EXCLUDE REGEX "(journey|readers)_benchmark\\.cc$")
add_executable(storefuzz_benchmark ${benchmarks})
target_link_libraries(storefuzz_benchmark PRIVATE storefuzz_case benchmark::benchmark_main)

# A program of its own, because it loads Python.
add_executable(storefuzz_journey_benchmark harness/journey/journey_benchmark.cc)
target_link_libraries(storefuzz_journey_benchmark
                      PRIVATE storefuzz_parent storefuzz_campaign benchmark::benchmark)

add_executable(storefuzz_readers_benchmark harness/readers/readers_benchmark.cc)
target_link_libraries(storefuzz_readers_benchmark PRIVATE storefuzz_archives benchmark::benchmark)
add_dependencies(storefuzz_readers_benchmark storefuzz-reader)

foreach(benchmark storefuzz_benchmark storefuzz_journey_benchmark storefuzz_readers_benchmark)
  add_test(NAME ${benchmark} COMMAND ${benchmark} --benchmark_min_time=0.001)
  set_tests_properties(${benchmark} PROPERTIES LABELS bench TIMEOUT 300 RUN_SERIAL ON
                       SKIP_REGULAR_EXPRESSION "^skipped: "
                       ENVIRONMENT "${STOREFUZZ_TEST_ENVIRONMENT}")
endforeach()

# --- Python
if(NOT STOREFUZZ_SANITIZE)
  file(GLOB python_tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
       reference/*/*_test.py harness/testing/*_test.py reports/*_test.py scripts/*_test.py)
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

# --- whole journeys and whole runs, label e2e
# Some minutes in all: they need the environments of a few zarr releases (scripts/test makes them),
# start fuzz processes and players of this build, and wait for hangs. In the sanitized build only
# the suites named Journeys run: one case per transport, and the target itself.
file(GLOB e2e_tests CONFIGURE_DEPENDS harness/*/*_e2e_test.cc)
add_executable(storefuzz_e2e_test ${e2e_tests})
target_link_libraries(storefuzz_e2e_test PRIVATE storefuzz_archives GTest::gtest_main)
target_precompile_headers(storefuzz_e2e_test REUSE_FROM storefuzz_base)
# They start the programs that lie beside them.
add_dependencies(storefuzz_e2e_test storefuzz storefuzz-player storefuzz-reader store_journey
                 zip_journey canary)
set(e2e_filter "*")
if(STOREFUZZ_SANITIZE)
  set(e2e_filter "*Journeys*")
endif()
gtest_discover_tests(storefuzz_e2e_test DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                     TEST_FILTER "${e2e_filter}"
                     PROPERTIES LABELS e2e TIMEOUT 300
                                ENVIRONMENT "${STOREFUZZ_TEST_ENVIRONMENT}")
