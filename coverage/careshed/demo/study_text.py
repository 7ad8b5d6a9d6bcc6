"""Word the study file and the note that go with the made-up town."""

from __future__ import annotations

from typing import Final

NAME: Final = "青湾市（虚构）"

README: Final = """\
青湾市为虚构城市，全部数据均由程序生成，与任何真实地点、机构或个人无关。
Qingwan is a made-up town: a program drew all of these data; they describe no real place, institution or person.

位置：黄海海面（约东经 123.0°、北纬 35.5°），该处并无陆地。代码以 9901 开头，未分配给任何省份。
It lies at sea (about 123.0° E, 35.5° N), where there is no land; its codes begin with 9901, which no province has.

人口总量约 25 万；60 岁及以上 18.2%、65 岁及以上 12.5%、80 岁及以上 2.5%、3 岁以下 3.8%。
About 250,000 people; 18.2 % are 60+, 12.5 % 65+, 2.5 % 80+, 3.8 % under 3.

文件 Files
  study.toml          研究设置 the study
  plans.toml          同一研究加选址方案 the same study with plans of sites
  streets.osm.pbf     道路、围墙与门、河流、铁路（OSM 格式）streets, walls and gates, river, railway
  planned_bridge.geojson  规划桥梁 a planned bridge
  population/*.tif    100 米人口格网 people on a 100 m grid (EPSG:32651)
  units.gpkg          区、街道、乡镇、社区、村 units (EPSG:32651)
  elder_care.xlsx     养老服务设施登记表 elder-care register
  childcare.csv       托育机构登记表 childcare register
  kindergartens.csv   幼儿园登记表 kindergarten register
  clinics.csv         医疗卫生机构登记表 register of clinics
  candidates.csv      可利用场地清单 sites that could be used
  compounds.csv       居住小区登记表 residential compounds
"""

STUDY: Final = """\
# 青湾市（虚构）研究设置。青湾市并不存在，全部数据由程序生成。
# Study of Qingwan, a made-up town: it does not exist, and a program drew all of its data.

[study]
name = "青湾市（虚构）"
lang = "zh"                     # 输出语言：zh 或 en / language of the output: zh or en
made_up = true                  # 在每张图上标注“虚构” / every map says that the data are made up
data_date = "2025-06-30"        # 数据截止日期 / date of the data
crs = "EPSG:32651"              # 计算所用投影坐标系（米） / projected CRS for all computing, metres
snap_m = 150                    # 距任何道路超过此值的点位不判断，单独列出 / farther than this from any street: listed, not judged

[streets]
file = "streets.osm.pbf"        # 可用 .osm.pbf、.osm、.osm.gz、.graphml，或道路中心线图层

# 道路变更：on = false 时只是一个问题，用 compare-runs --streets bridge 回答
# changes of streets: while off, only a question that compare-runs --streets bridge answers
[[streets.edits]]
id = "bridge"
file = "planned_bridge.geojson"
on = false

# 人口：分年龄组的栅格，须同一格网 / people: one raster an age group, all on one grid
[population.rasters]
total = "population/total.tif"  # 全部人口 / all residents
p0_3 = "population/p0_3.tif"    # 3 岁以下 / under 3
p3_6 = "population/p3_6.tif"    # 3–6 岁 / aged 3–6
p60 = "population/p60.tif"      # 60 岁及以上 / 60+
p65 = "population/p65.tif"      # 65 岁及以上 / 65+
p80 = "population/p80.tif"      # 80 岁及以上 / 80+

[units]
file = "units.gpkg"
layer = "units"

# 现有设施：每个登记表一节 / existing facilities: one section a register
[[facilities]]
file = "elder_care.xlsx"
sheet = "登记表"
crs = "EPSG:4326"
datum = "WGS-84"                # WGS-84、CGCS2000、GCJ-02、BD-09
[facilities.columns]            # 我们的列名 = 表头 / our name = the file's header
unit = "所属单位代码"

[[facilities]]
file = "childcare.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[facilities.columns]
unit = "所属单位代码"

[[facilities]]
file = "kindergartens.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[facilities.columns]
unit = "所属单位代码"

[[facilities]]
file = "clinics.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[facilities.columns]
unit = "所属单位代码"

# 候选场地 / candidate sites
[[candidates]]
file = "candidates.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[candidates.columns]
unit = "所属单位代码"
services = "可设服务"            # 服务编号，以分号隔开 / service ids joined by semicolons
cost_yuan = "费用（元）"

# 居住小区登记表 / register of residential compounds
[compounds]
file = "compounds.csv"
crs = "EPSG:4326"
datum = "WGS-84"
[compounds.columns]
unit = "所属单位代码"

# 服务：谁走到哪里、多久、按什么规则选址 / services: who walks where, how long, and the rules for new sites
[[service]]
id = "childcare"
name_zh = "托育服务"
name_en = "Childcare"
types = ["托育机构", "幼儿园托班"]     # 计入的设施类型 / facility types that count
statuses = ["operating"]            # 计入的状态：运营 / statuses that count
group = "p0_3"                      # 服务对象 / who it is for
groups_shown = ["p0_3", "total"]
mode = "toddler"                    # 带幼儿步行，1.0 米/秒，不走台阶 / with a toddler, 1.0 m/s, no steps
minutes = [5, 10, 15]               # 等时圈 / isochrone bands
within_minutes = 15                 # 判断是否覆盖的时限 / the limit a resident is judged by
n_sites = 8                         # 拟新增数量 / sites to choose
at_least_one_per = ["street"]       # 每个街道至少一处 / at least one in every street (jiedao)
demand_rate = 0.3                   # 需要托位的比例（假设）/ share that looks for a place (assumed)
places_rule = "least_time"          # 入位规则 / how people find places

[[service]]
id = "day_care"
name_zh = "社区养老服务"
name_en = "Day care for the old"
types = ["社区养老服务站", "日间照料中心", "农村幸福院"]
statuses = ["operating"]
group = "p60"
groups_shown = ["p60", "p65", "p80", "total"]
mode = "older"                      # 老年人步行，1.0 米/秒，台阶加倍 / older adult, 1.0 m/s, steps twice the time
minutes = [5, 10, 15]
within_minutes = 15
n_sites = 8
demand_rate = 0.02                  # 假设 / assumed

[[service]]
id = "township_centre"
name_zh = "区域养老服务中心"
name_en = "Regional elder-care centre"
types = ["区域养老服务中心"]
statuses = ["operating"]
group = "p60"
groups_shown = ["p60", "p80"]
mode = "older"
minutes = [15, 30]
within_minutes = 30
n_sites = 6
at_least_one_per = ["township"]     # 每个乡镇至少一处 / at least one in every township
demand_rate = 0.03                  # 假设 / assumed

# 分级服务网络：自上而下，每处设施归属上一级最近者 / who depends on whom among facilities, the highest level first
[hierarchy]
mode = "adult"                      # 工作人员往来 / staff on their way
within_minutes = 60

[[hierarchy.level]]
id = "centre"
name_zh = "区域养老服务中心"
name_en = "Regional centres"
types = ["区域养老服务中心"]

[[hierarchy.level]]
id = "station"
name_zh = "社区与村级设施"
name_en = "Community and village stations"
types = ["社区养老服务站", "日间照料中心", "农村幸福院"]

# 按哪一规划评分 / the plan that the town is judged by
[policy]
profile = "shuozhou-2023"           # careshed profiles 可列出内置规划 / careshed profiles lists the shipped plans
pooled_within_m = 500               # 小区共用沿路网此距离内的设施 / compounds share facilities within so many metres of street
household_size = 3.0                # 户均人口 / people per household
new_since = 2018                    # 此年及以后建成的为新建小区 / compounds built in or after this year are new

[policy.set]                        # 规划未写明、由用户设定的目标 / targets that the plan leaves to the user
elder_15min = 80                    # 一刻钟养老服务圈覆盖的老年人比例（%） / share of the old within a quarter of an hour, %
elder_compound_standard = 20        # 每百户建筑面积（平方米） / floor area per 100 households, m²
medical_adjacent = 30               # 毗邻卫生院（室）的设施比例（%） / share of facilities next to a clinic, %

[[policy.entered]]                  # 图上无法得知、由部门填报 / what no map can know, entered by the offices
rule = "tuo_certified"
value = 91.5
source = "虚构数据"
date = "2025-06-30"

[[policy.entered]]
rule = "elder_staff"                # 人数 / people
value = 412
source = "虚构数据"
date = "2025-06-30"

[[policy.entered]]
rule = "tuo_rural_kindergartens"    # 百分比 / percent
value = 60
source = "虚构数据"
date = "2025-06-30"
"""
