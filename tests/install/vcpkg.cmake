# Runs the port as vcpkg would: cmake -DPORT_DIR=… -DCURRENT_PACKAGES_DIR=… -DCURRENT_BUILDTREES_DIR=…
# -DVCPKG_LIBRARY_LINKAGE=… -P vcpkg.cmake
cmake_minimum_required(VERSION 3.19)

function(vcpkg_execute_required_process)
  cmake_parse_arguments(PARSE_ARGV 0 ARG "" "WORKING_DIRECTORY;LOGNAME" "COMMAND")
  execute_process(COMMAND ${ARG_COMMAND} WORKING_DIRECTORY "${ARG_WORKING_DIRECTORY}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_fixup_pkgconfig)
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 ARG "" "" "FILE_LIST")
  foreach(file IN LISTS ARG_FILE_LIST)
    file(READ "${file}" text)
    file(APPEND "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright" "${text}")
  endforeach()
endfunction()

set(PORT resup)
include("${PORT_DIR}/portfile.cmake")
