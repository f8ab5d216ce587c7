# What `cmake --install` puts where. The tree can be moved as a whole: nothing in it holds the prefix.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(SSHEXEC_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/sshexec)

install(TARGETS sshexec sshexec_testing
  EXPORT sshexecTargets
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set_target_properties(sshexec_testing PROPERTIES EXPORT_NAME testing)
install(EXPORT sshexecTargets NAMESPACE sshexec:: DESTINATION ${SSHEXEC_CMAKE_DIR})

if(SSHEXEC_HAS_REMOTE)
  install(TARGETS sshexec_remote EXPORT sshexecTargets)
  set_target_properties(sshexec_remote PROPERTIES EXPORT_NAME remote)
endif()

install(DIRECTORY messages ssh actors
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sshexec
  FILES_MATCHING PATTERN *.hpp)
install(DIRECTORY tests/harness/
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sshexec/testing
  FILES_MATCHING PATTERN *.hpp
  PATTERN tests EXCLUDE)

if(SSHEXEC_BUILD_TOOL)
  file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(sshexec_tool PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
  install(TARGETS sshexec_tool)
endif()

# The CMake package
configure_package_config_file(cmake/sshexecConfig.cmake.in sshexecConfig.cmake
  INSTALL_DESTINATION ${SSHEXEC_CMAKE_DIR}
  NO_SET_AND_CHECK_MACRO
  NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(sshexecConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/sshexecConfig.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/sshexecConfigVersion.cmake
    cmake/FindCAF.cmake
  DESTINATION ${SSHEXEC_CMAKE_DIR})

# The pkg-config file: who links a static library needs what that links, too.
set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_prefix ${pc_dir} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
get_target_property(library_type sshexec TYPE)
set(pc_requires "libssh >= 0.10")
if(library_type STREQUAL "STATIC_LIBRARY")
  string(APPEND pc_requires ", spdlog, fmt, libcrypto")
endif()
set(pc_cflags "-pthread")
if(NOT SSHEXEC_FIRST_TYPE_ID STREQUAL "")
  string(PREPEND pc_cflags "-DSSHEXEC_FIRST_TYPE_ID=${SSHEXEC_FIRST_TYPE_ID} ")
endif()
# CAF has no .pc file of its own that could tell.
set(pc_caf_libs)
foreach(component IN LISTS SSHEXEC_CAF_COMPONENTS)
  string(TOUPPER ${component} name)
  get_filename_component(caf_dir ${CAF_${name}_LIBRARY} DIRECTORY)
  if(NOT caf_dir IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
    string(APPEND pc_caf_libs " -L${caf_dir}")
  endif()
  string(APPEND pc_caf_libs " -lcaf_${component}")
endforeach()
if(NOT CAF_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  string(APPEND pc_cflags " -I${CAF_INCLUDE_DIR}")
endif()
configure_file(cmake/sshexec.pc.in sshexec.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sshexec.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
