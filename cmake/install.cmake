# What `cmake --install` puts where. The tree can be moved as a whole: nothing in it holds the prefix.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(SSHEXEC_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/sshexec)

# The public headers, and no others: all of messages/, and of the rest what an embedding hub speaks to.
# They include one another only, and nothing of libssh, OpenSSL or spdlog.
file(GLOB public_headers CONFIGURE_DEPENDS ${SSHEXEC_INCLUDE_DIR}/sshexec/messages/*.hpp)
list(APPEND public_headers
  ${SSHEXEC_INCLUDE_DIR}/sshexec/sshexec.hpp ${SSHEXEC_INCLUDE_DIR}/sshexec/version.hpp)
foreach(header IN ITEMS
    actors/executor actors/settings
    actors/runtime/reply
    actors/services/credentials actors/services/escape actors/services/execution_journal
    actors/services/services
    actors/cluster/router
    actors/fleet/inventory actors/fleet/node_set actors/fleet/rollout
    ssh/host_key ssh/known_keys ssh/secret)
  list(APPEND public_headers ${SSHEXEC_INCLUDE_DIR}/sshexec/${header}.hpp)
endforeach()
foreach(header IN ITEMS
    connect_executor connect_node connect_settings network_address networking protocol_version
    publish_executor tls_files)
  list(APPEND public_remote_headers ${SSHEXEC_INCLUDE_DIR}/sshexec/actors/remote/${header}.hpp)
endforeach()
# Those of the test library, with what they include of ssh/.
file(GLOB public_testing_headers CONFIGURE_DEPENDS ${SSHEXEC_INCLUDE_DIR}/sshexec/testing/*.hpp)
foreach(header IN ITEMS file_descriptor handles)
  list(APPEND public_testing_headers ${SSHEXEC_INCLUDE_DIR}/sshexec/ssh/${header}.hpp)
endforeach()

# install_library(TARGET NAME HEADER...): the library, which is sshexec::NAME for its users.
function(install_library target name)
  target_sources(${target} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${SSHEXEC_INCLUDE_DIR} FILES ${ARGN})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS ${target} EXPORT sshexecTargets FILE_SET HEADERS)
endfunction()
install_library(sshexec sshexec ${public_headers})
install_library(sshexec_testing testing ${public_testing_headers})
if(SSHEXEC_HAS_REMOTE)
  install_library(sshexec_remote remote ${public_remote_headers})
endif()
install(EXPORT sshexecTargets NAMESPACE sshexec:: DESTINATION ${SSHEXEC_CMAKE_DIR})

if(SSHEXEC_BUILD_TOOL)
  file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(sshexec_tool PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
  install(TARGETS sshexec_tool)
  # The tool itself prints it.
  if(NOT CMAKE_CROSSCOMPILING)
    install(FILES ${PROJECT_BINARY_DIR}/sshexec.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  endif()
  install(FILES app/guide/sshexec.bash RENAME sshexec
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES app/guide/_sshexec DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES app/guide/sshexec.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  # The unit names full paths, which are known for good when it is installed: it is written there.
  install(CODE "
    set(CMAKE_INSTALL_BINDIR \"${CMAKE_INSTALL_BINDIR}\")
    set(CMAKE_INSTALL_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
    set(CMAKE_INSTALL_SYSCONFDIR \"${CMAKE_INSTALL_SYSCONFDIR}\")
    include(GNUInstallDirs)
    set(unit \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system/sshexec.service\")
    message(STATUS \"Installing: \$ENV{DESTDIR}\${unit}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/app/sshexec.service.in\" \"\$ENV{DESTDIR}\${unit}\"
      @ONLY NO_SOURCE_PERMISSIONS)
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES \"\${unit}\")")
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

# The pkg-config files: who links a static library needs what that links, too.
set(pc_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_prefix ${pc_dir} ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
get_target_property(library_type sshexec TYPE)
set(pc_cflags "-pthread")
if(NOT SSHEXEC_FIRST_TYPE_ID STREQUAL "")
  string(PREPEND pc_cflags "-DSSHEXEC_FIRST_TYPE_ID=${SSHEXEC_FIRST_TYPE_ID} ")
endif()
# CAF has no .pc file of its own that could tell.
if(NOT CAF_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  string(APPEND pc_cflags " -I${CAF_INCLUDE_DIR}")
endif()

# install_pc_file(NAME DESCRIPTION LIBRARY CAF-COMPONENT REQUIRES REQUIRES-IF-STATIC)
function(install_pc_file pc_name pc_description library component pc_requires if_static)
  if(library_type STREQUAL "STATIC_LIBRARY")
    string(APPEND pc_requires ", ${if_static}")
  endif()
  set(pc_libs "-l${library}")
  string(TOUPPER ${component} name)
  get_filename_component(caf_dir ${CAF_${name}_LIBRARY} DIRECTORY)
  if(NOT caf_dir IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
    string(APPEND pc_libs " -L${caf_dir}")
  endif()
  string(APPEND pc_libs " -lcaf_${component} -pthread")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/pkg_config.pc.in ${PROJECT_BINARY_DIR}/${pc_name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
install_pc_file(sshexec "${PROJECT_DESCRIPTION}" sshexec core
  "libssh >= 0.10" "spdlog, fmt, libcrypto")
if(SSHEXEC_HAS_REMOTE)
  install_pc_file(sshexec-remote "sshexec's executors over the network" sshexec_remote io
    "sshexec = ${PROJECT_VERSION}" "libssl")
endif()

install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The pages lead to headers, which stand elsewhere when they are installed.
file(RELATIVE_PATH headers_from_pages
  ${CMAKE_INSTALL_FULL_DOCDIR}/docs ${CMAKE_INSTALL_FULL_INCLUDEDIR}/sshexec)
install(CODE "
  file(GLOB pages \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}/docs/*.md\")
  foreach(page IN LISTS pages)
    file(READ \"\${page}\" text)
    string(REGEX REPLACE [[\\]\\(\\.\\./(messages|actors)/]] \"](${headers_from_pages}/\\\\1/\" text \"\${text}\")
    file(WRITE \"\${page}\" \"\${text}\")
  endforeach()")
