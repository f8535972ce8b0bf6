/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instruction behind a call that asks for a walk. A hint without a meaning, so a NOP (Arm ARM
 * C6.2.126), but a freely running engine stops here: an unwinder that the host calls at the request
 * returns to it.
 */
#ifndef KW_WALK_RETURN_H
#define KW_WALK_RETURN_H

#define WALK_RETURN hint #127

#endif
