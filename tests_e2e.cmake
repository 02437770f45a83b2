# Tests of whole journeys and whole runs, label e2e; included by tests.cmake.
#
# Some minutes in all: they need the environments of a few zarr releases (scripts/test makes them),
# start fuzz processes and players of this build, and wait for hangs. In the sanitized build only
# the suites named Journeys run: one case per transport, and the target itself.
file(GLOB e2e_tests CONFIGURE_DEPENDS harness/*_e2e_test.cc)
add_executable(storefuzz_e2e_test ${e2e_tests})
target_link_libraries(storefuzz_e2e_test PRIVATE storefuzz_command GTest::gtest_main)
target_precompile_headers(storefuzz_e2e_test REUSE_FROM storefuzz_core)
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
