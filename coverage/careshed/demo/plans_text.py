"""Word the plans of the made-up town: a second study file, carried out by `careshed plan-sites`."""

from __future__ import annotations

from typing import Final

PLANS: Final = """\
# 方案：建在哪里、建几处、按什么规则 / plans: where to build, how many, by which rules
# careshed plan-sites plans.toml

[[plan]]
id = "street_chifeng"               # 赤峰：每个街道、乡镇至少一处普惠托育 / one inclusive point in each
name_zh = "每街道乡镇一处普惠托育（赤峰规则）"
name_en = "One inclusive childcare point per street and township (Chifeng)"
service = "childcare"
at_most = 14                        # 至多新增处数 / new sites at most
subsidies = "profile"               # 按规划的补贴标准 / subsidies as a plan of the city states them
profile = "chifeng-2022"
classes = ["public", "public_private", "inclusive"]   # 现有设施只计普惠性的 / existing ones count if inclusive
frontier = "sites"                  # 画出处数与覆盖人数曲线 / draw people against sites
[[plan.per_unit]]
level = "street"
at_least = 1
[[plan.per_unit]]
level = "township"
at_least = 1
[plan.build]                        # 候选场地按哪类补贴 / which subsidy a kind of site goes by
"闲置校舍" = "extension"
"幼儿园富余用房" = "extension"
"社区用房" = "extension"

[[plan]]
id = "street_shuozhou"              # 朔州：每个城镇街道至少一处；未定补贴 / one in every urban street; no subsidies
name_zh = "每个城镇街道一处托育（朔州规则）"
name_en = "One childcare point per urban street (Shuozhou)"
service = "childcare"
at_most = 14
subsidies = "profile"
profile = "shuozhou-2023"
[[plan.per_unit]]
level = "street"
setting = "urban"
at_least = 1

[[plan]]
id = "township_centres"             # 一半农村乡镇有区域养老服务中心 / a centre in half of the rural townships
name_zh = "半数农村乡镇有区域养老服务中心（乘车 10 分钟）"
name_en = "A centre in half of the rural townships (10 minutes by car)"
service = "township_centre"
functions = ["全托", "日托", "上门服务"]   # 现有中心须有这些功能才计入 / functions that an existing centre must offer
mode = "car"
minutes = 10
[[plan.per_unit]]
level = "township"
setting = "rural"
at_least = 1
share = 0.5

[[plan]]
id = "five_years"                   # 五年分期 / five years
name_zh = "托育五年分期方案"
name_en = "Childcare over five years"
service = "childcare"
subsidies = "profile"
profile = "chifeng-2022"
[plan.build]
"闲置校舍" = "extension"
"幼儿园富余用房" = "extension"
"社区用房" = "extension"
[[plan.per_unit]]
level = "street"
at_least = 1
[[plan.phase]]
year = 2026
sites = 2
yuan = 600000
[[plan.phase]]
year = 2027
sites = 2
yuan = 600000
[[plan.phase]]
year = 2028
sites = 2
yuan = 800000
[[plan.phase]]
year = 2029
sites = 3
yuan = 800000
[[plan.phase]]
year = 2030
sites = 3
yuan = 1000000

[[plan]]
id = "small_budget"                 # 钱不够时 / when the money does not suffice
name_zh = "预算不足：每街道乡镇一处托育"
name_en = "Too little money: one childcare point per street and township"
service = "childcare"
budget_yuan = 1000000
[[plan.per_unit]]
level = "street"
at_least = 1
[[plan.per_unit]]
level = "township"
at_least = 1

[[plan]]
id = "sure_sites"                   # 各处有多稳妥 / how sure each site is
name_zh = "社区养老选址稳健性"
name_en = "How sure each day-care site is"
service = "day_care"
at_most = 6
[plan.scenarios]
speed = [0.8, 1.2]                  # 步速 / walking speed
limit = [0.8, 1.2]                  # 时限 / limit
relative_se = 0.2                   # 人口相对误差 / relative error of people
draws = 10
"""
"""What follows the study itself in ``plans.toml``."""
