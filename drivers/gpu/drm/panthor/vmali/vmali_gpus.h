/* SPDX-License-Identifier: GPL-2.0 or MIT */
/*
 * The GPUs that the model can be. This is the only list of them: the model is compiled
 * from it, and scripts read it. Include it with VMALI_GPU() defined.
 *
 *	VMALI_GPU(NAME, MAJOR, MINOR, PRODUCT)
 *
 * NAME is the value of vmali.gpu=. MAJOR and MINOR are the architecture, by which the
 * driver finds the firmware: arm/mali/archMAJOR.MINOR/mali_csffw.bin. They are bits 31:28
 * and 27:24 of GPU_ID, PRODUCT is the rest of it. A row is one line, and starts in the
 * first column. A script reads names and architectures with
 *
 *	sed -n 's/^VMALI_GPU("\([^"]*\)", \([0-9]*\), \([0-9]*\),.*$/\1 \2 \3/p'
 *
 * To add a GPU:
 *
 * - Take its GPU_ID from the driver (panthor_hw.c since Linux 6.17). Only a GPU that the
 *   driver knows will probe, and only an architecture for which panthor_fw.c names firmware.
 * - Add a row, boot it, and run the clients. If the driver reads or writes a register that
 *   the model does not have, the judge says so: "register 0x... does not exist".
 * - If registers differ from those of older GPUs, decide by the architecture, as
 *   vmali_power_commands() does for 14, and add a KUnit case for what changes.
 * - All GPUs have the same caches, cores and address spaces (constants[] in vmali_dev.c,
 *   present[] in vmali_power.c), and execute the instructions of architecture 10. An
 *   instruction that differs needs a function in vmali_cs.c that looks at the architecture,
 *   and a case in vmali_cs_kunit.c.
 * - Say in Documentation/gpu/panthor-vmali.rst what is new.
 */
VMALI_GPU("g610", 10, 8, 0x670000)
VMALI_GPU("g615", 11, 8, 0x030000)
VMALI_GPU("g620", 12, 8, 0x010000)
VMALI_GPU("g625", 13, 8, 0x010000)
VMALI_GPU("g1-pro", 14, 8, 0x030000)
