# Every test and benchmark, under ctest. Included when STOREFUZZ_TESTS is ON; CMakeLists.txt has what
# is tested. An entry of ctest is a file with tests and has its name.
#
#   label fast    unit tests of C++
#   label python  pytest and ruff; once is enough, so not in the sanitized build
#   label bench   each benchmark runs for a moment, to see that it still runs; nothing is timed
#   label e2e     programs with real zarr, and whole runs: they need the environments of a few zarr
#                 releases (scripts/test makes them), and start fuzz processes and workers of this
#                 build
#
# Entries run side by side. COST is about the seconds an entry takes, where those are many: ctest
# begins with the longest, so that none is left over at the end.
#
# The sanitized build has what sanitizers can judge: the unit tests, the target about zip files, the
# benchmarks, and the programs of the corpus.
#
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)

# add_test_program(NAME FILE…): a program with the tests of these files.
function(add_test_program name)
  add_executable(${name} harness/testing/main.cc ${ARGN})
  target_link_libraries(${name} PRIVATE storefuzz_archives storefuzz_oracles GTest::gtest)
  target_precompile_headers(${name} REUSE_FROM storefuzz_base)
endfunction()

# add_entry(NAME LABEL COMMAND…): an entry of ctest.
function(add_entry name label)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 1200
                       ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endfunction()

# --- unit tests: a file beside its code is all a test needs
file(GLOB unit_tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} harness/*/*_test.cc)
set(e2e_tests ${unit_tests})
list(FILTER unit_tests EXCLUDE REGEX "_e2e_test\\.cc$")
list(FILTER e2e_tests INCLUDE REGEX "_e2e_test\\.cc$")
add_test_program(storefuzz_test ${unit_tests} harness/testing/sound_programs.cc
                 harness/testing/falsify.cc)
add_dependencies(storefuzz_test storefuzz-reader)  # started by the tests of the panel
foreach(file ${unit_tests})
  add_entry(${file} fast storefuzz_test ${file})
endforeach()

# Our own reader and writer of zip files, a little of what its target does for hours elsewhere.
set_target_properties(zip_layout PROPERTIES EXCLUDE_FROM_ALL OFF)
add_entry(zip_layout_target fast
          zip_layout -runs=20000 -seed=1 -max_len=65536 -timeout=60)

# --- benchmarks
file(GLOB benchmarks CONFIGURE_DEPENDS harness/*/*_benchmark.cc)
list(FILTER benchmarks EXCLUDE REGEX "(readers|program)_benchmark\\.cc$")
add_executable(storefuzz_benchmark ${benchmarks})
target_link_libraries(storefuzz_benchmark PRIVATE storefuzz_readers benchmark::benchmark_main)

add_executable(storefuzz_program_benchmark harness/play/program_benchmark.cc)
target_link_libraries(storefuzz_program_benchmark PRIVATE storefuzz_campaign benchmark::benchmark)
add_dependencies(storefuzz_program_benchmark storefuzz-worker)

add_executable(storefuzz_readers_benchmark harness/archives/readers_benchmark.cc)
target_link_libraries(storefuzz_readers_benchmark PRIVATE storefuzz_archives benchmark::benchmark)
add_dependencies(storefuzz_readers_benchmark storefuzz-reader)

foreach(benchmark storefuzz_benchmark storefuzz_program_benchmark storefuzz_readers_benchmark)
  add_entry(${benchmark} bench ${benchmark} --benchmark_min_time=0.001)
  set_property(TEST ${benchmark} PROPERTY SKIP_REGULAR_EXPRESSION "^skipped: ")
endforeach()

# --- programs with real zarr, and whole runs
if(STOREFUZZ_SANITIZE)
  add_test_program(storefuzz_e2e_test harness/play/corpus_e2e_test.cc)
  add_dependencies(storefuzz_e2e_test storefuzz-reader storefuzz-worker)
  add_entry(harness/play/corpus_e2e_test.cc e2e
            storefuzz_e2e_test harness/play/corpus_e2e_test.cc)
  # Python gives little back when it ends.
  set_property(TEST harness/play/corpus_e2e_test.cc
               APPEND PROPERTY ENVIRONMENT ASAN_OPTIONS=detect_leaks=0)
  # No test of this build starts these.
  set_target_properties(storefuzz storefuzz_command canary program zip_program
                        PROPERTIES EXCLUDE_FROM_ALL ON)
  return()
endif()
add_test_program(storefuzz_e2e_test ${e2e_tests} harness/testing/falsify.cc)
# They start the programs that lie beside them.
add_dependencies(storefuzz_e2e_test storefuzz storefuzz-reader storefuzz-worker program zip_program
                 canary)
# Long files are played in parts, each by a process of its own.
set(parts_of_campaign 4)
set(parts_of_night 3)
set(parts_of_programs 2)
foreach(file ${e2e_tests})
  string(REGEX REPLACE ".*/([a-z]+)_e2e_test\\.cc$" "\\1" name ${file})
  set(parts 1)
  if(DEFINED parts_of_${name})
    set(parts ${parts_of_${name}})
  endif()
  foreach(part RANGE 1 ${parts})
    set(entry "${file}, part ${part} of ${parts}")
    math(EXPR index "${part} - 1")
    add_entry(${entry} e2e storefuzz_e2e_test ${file})
    set_property(TEST ${entry} PROPERTY COST 100)
    set_property(TEST ${entry} APPEND PROPERTY ENVIRONMENT GTEST_TOTAL_SHARDS=${parts}
                                               GTEST_SHARD_INDEX=${index})
  endforeach()
endforeach()

# --- Python
file(GLOB python_tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     reference/*/*_test.py harness/testing/*_test.py reports/*_test.py scripts/*_test.py)
foreach(file ${python_tests})
  add_entry(${file} python ${STOREFUZZ_PYTHON} -m pytest -p no:cacheprovider -q ${file})
endforeach()
# It compiles everything once more, where ccache has not seen it.
set_tests_properties(scripts/services_test.py PROPERTIES COST 120 TIMEOUT 2400)
add_entry(ruff_check python ${STOREFUZZ_PYTHON} -m ruff check --no-cache .)
add_entry(ruff_format python ${STOREFUZZ_PYTHON} -m ruff format --check --no-cache .)
