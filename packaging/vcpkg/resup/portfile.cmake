# An overlay port that builds the checkout that it is part of; needs cargo, make and binutils:
#     vcpkg install resup --overlay-ports=packaging/vcpkg --binarysource=clear
# (vcpkg caches a package by the files of this directory only: after a change of the library it would use the old one.)
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

# cargo builds for release only.
set(VCPKG_BUILD_TYPE release)
vcpkg_execute_required_process(
  COMMAND "${CMAKE_COMMAND}" -E env "CARGO_TARGET_DIR=${CURRENT_BUILDTREES_DIR}/cargo"
          make install "PREFIX=${CURRENT_PACKAGES_DIR}" "CMAKEDIR=${CURRENT_PACKAGES_DIR}/share/resup"
          "BINDIR=${CURRENT_PACKAGES_DIR}/tools/resup" "EXTRAS=${CURRENT_BUILDTREES_DIR}/extras"
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME "install-${TARGET_TRIPLET}")

if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  file(GLOB UNWANTED "${CURRENT_PACKAGES_DIR}/lib/libresup.so*")
else()
  set(UNWANTED "${CURRENT_PACKAGES_DIR}/lib/libresup.a")
endif()
file(REMOVE ${UNWANTED})
vcpkg_fixup_pkgconfig()

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_execute_required_process(
  COMMAND "${CMAKE_COMMAND}" -E env "CARGO_TARGET_DIR=${CURRENT_BUILDTREES_DIR}/cargo"
          make dist-licences "LICENCES=${CURRENT_BUILDTREES_DIR}/licences"
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME "licences-${TARGET_TRIPLET}")
file(GLOB LICENCES "${CURRENT_BUILDTREES_DIR}/licences/*")
vcpkg_install_copyright(FILE_LIST ${LICENCES})
